import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create as createGlobber } from '@actions/glob';
import { errorMessage, InputError } from './errors.ts';
import type { Inputs } from './inputs.ts';
import { installK3s, type InstalledK3s } from './k3s/install.ts';
import { readCredentials, writeKubeconfig } from './k3s/kubeconfig.ts';
import { Api } from './k3s/api.ts';
import { climb } from './k3s/readiness.ts';
import type { Layout } from './layout.ts';
import { startInit, type Init } from './namespaces/init.ts';
import { renderLaunchFile } from './namespaces/operations.ts';
import { Timeline } from './report/timeline.ts';
import type { Reporter } from './report/reporter.ts';
import type { Facts } from './sandbox/facts.ts';
import { gatherFacts } from './sandbox/gather.ts';
import { identify, saveState } from './state.ts';
import { makePlan, type Plan } from './workarounds/plan.ts';

/** A cluster that is up, and how it came to be. */
export interface Started {
  readonly kubeconfig: string;
  readonly server: string;
  readonly k3s: InstalledK3s;
  readonly facts: Facts;
  readonly plan: Plan;
  readonly timeline: Timeline;
}

export interface StartOptions {
  readonly inputs: Inputs;
  readonly layout: Layout;
  /** A directory that outlives the run, for k3s itself. */
  readonly cache: string;
  readonly reporter: Reporter;
}

/**
 * Brings a cluster up: find the facts, plan, apply, wait until it is ready, prove the kubeconfig.
 * @throws InputError before anything is started; later with the step, its cause and what was seen last.
 */
export async function start({ inputs, layout, cache, reporter }: StartOptions): Promise<Started> {
  const deadline = AbortSignal.timeout(inputs.timeoutMs);
  const timeline = new Timeline();
  const kubeconfig = inputs.kubeconfig ?? join(layout.state, 'kubeconfig');
  const state = { directory: layout.state, files: [kubeconfig] };
  const reached = (name: string): void => {
    reporter.reached(timeline.mark(name));
  };

  await saveState({ ...state, init: undefined });
  await mkdir(join(layout.logs, 'pods'), { recursive: true });
  await mkdir(layout.scratch, { recursive: true });
  reached('action started');

  const [facts, k3s, images] = await Promise.all([
    gatherFacts(layout),
    installK3s(inputs, cache),
    findImages(inputs.images),
  ]);
  reporter.facts(facts);
  reached('facts found, k3s at hand');

  const plan = makePlan({ facts, inputs, layout, k3s, images });
  reporter.plan(plan);
  await writeFile(layout.launchFile, renderLaunchFile(plan.launch), { mode: 0o600 });

  const init = await startInit(layout);
  const identity = await identify(init.pid);
  await saveState({ ...state, init: identity });
  reached('init started');
  try {
    await withDeadline(init.launched, deadline);
    reached('k3s started');
    const server = `https://127.0.0.1:${facts.apiServerPort}`;
    await waitUntilReady({ plan, layout, server, init, deadline, reached });
    await writeKubeconfig(layout.k3sKubeconfig, kubeconfig, server);
    await prove(kubeconfig, deadline);
    reached('kubeconfig used');
    return { kubeconfig, server, k3s, facts, plan, timeline };
  } finally {
    init.detach();
    await timeline.save(join(layout.logs, 'timeline.json'));
  }
}

async function waitUntilReady(wait: {
  plan: Plan;
  layout: Layout;
  server: string;
  init: Init;
  deadline: AbortSignal;
  reached: (name: string) => void;
}): Promise<void> {
  const { plan, layout, server, init, deadline, reached } = wait;
  await climb({
    mode: plan.mode,
    nodeName: plan.nodeName,
    kubeconfig: layout.k3sKubeconfig,
    server,
    ended: init.ended,
    deadline,
    reached,
  });
}

/** @throws if the deadline passes first */
async function withDeadline(work: Promise<void>, deadline: AbortSignal): Promise<void> {
  await Promise.race([
    work,
    new Promise<never>((_, reject) => {
      deadline.addEventListener('abort', () => {
        reject(new Error('Failed to launch: the timeout passed'));
      });
    }),
  ]);
}

/** The file that later steps will use, used once. */
async function prove(kubeconfig: string, signal: AbortSignal): Promise<void> {
  const api = new Api(await readCredentials(kubeconfig));
  try {
    await api.get('/version', signal);
  } catch (error) {
    throw new Error(`Failed to use the kubeconfig ${kubeconfig}: ${errorMessage(error)}`, {
      cause: error,
    });
  } finally {
    api.close();
  }
}

/** @throws InputError if a pattern matches no file: a forgotten build step rather than a wish for nothing. */
async function findImages(patterns: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    patterns.map(async (pattern) => {
      const globber = await createGlobber(pattern, { matchDirectories: false });
      const paths = await globber.glob();
      if (paths.length === 0) {
        throw new InputError(
          `images: "${pattern}" matches no file; give paths or globs of image tars`,
        );
      }
      return paths;
    }),
  );
  return [...new Set(found.flat())].sort();
}
