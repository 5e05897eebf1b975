import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../errors.ts';
import { exists } from '../files.ts';
import { findImages } from '../images/find.ts';
import { findWarmStart, type WarmStart } from '../images/warm-start.ts';
import type { Inputs } from '../inputs/inputs.ts';
import { readRunnerConfig, withRunnerConfig } from '../inputs/runner-config.ts';
import { bringInterceptor } from '../interceptor/bring.ts';
import { answerNodePassword } from '../interceptor/node-password.ts';
import { installK3s, type InstalledK3s } from '../k3s/install.ts';
import { assertUnused, readCredentials, writeKubeconfig } from '../cluster/kubeconfig.ts';
import { Api } from '../cluster/api.ts';
import { pullImages } from '../cluster/pull.ts';
import { climb } from '../cluster/readiness.ts';
import type { RemoteCache } from '../supply/supply.ts';
import { ToolCache } from '../supply/tool-cache.ts';
import type { Layout } from '../layout.ts';
import { startInit, type Init } from '../namespaces/init.ts';
import { renderLaunchFile } from '../namespaces/operations.ts';
import { Timeline } from './timeline.ts';
import type { RunEvents } from './events.ts';
import type { Facts } from '../sandbox/facts.ts';
import { gatherFacts } from '../sandbox/gather.ts';
import { missingPodCgroups } from './pod-cgroups.ts';
import { saveRecord } from './record.ts';
import { saveState, type RunState } from './state.ts';
import { PLANNED_SYSCTLS } from '../plan/sysctls.ts';
import { interceptor } from '../plan/parts/interceptor.ts';
import { applies, makePlan, type Plan } from '../plan/plan.ts';

/** A cluster that is up, and how it came to be. */
export interface Started {
  readonly kubeconfig: string;
  readonly server: string;
  readonly k3s: InstalledK3s;
  readonly facts: Facts;
  readonly plan: Plan;
  readonly timeline: Timeline;
}

/** The kubeconfig's context, cluster and user; k3s calls each of its own `default`. */
export const CONTEXT = 'k3s-in-gvisor';

export interface StartOptions {
  readonly inputs: Inputs;
  readonly layout: Layout;
  /** What the kubeconfig calls the cluster: two of one name could not be merged. */
  readonly context: string;
  /** A directory that outlives the run, for k3s itself. */
  readonly cache: string;
  /** A cache that outlives the machine. */
  readonly remote: RemoteCache | undefined;
  readonly events: RunEvents;
  /** Ends the start; what was started is then for `stop`. */
  readonly signal?: AbortSignal;
}

/**
 * Brings a cluster up: find the facts, plan, apply, wait until it is ready, prove the kubeconfig.
 * @throws InputError before anything is started; later with the step, its cause and what was seen last.
 */
export async function start(options: StartOptions): Promise<Started> {
  const { layout, events } = options;
  const runner = await readRunnerConfig();
  const inputs = withRunnerConfig(options.inputs, runner);
  const timeout = AbortSignal.timeout(inputs.timeoutMs);
  const deadline =
    options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  // What still runs when something else has failed must not keep the step waiting.
  const over = new AbortController();
  const signal = AbortSignal.any([deadline, over.signal]);
  const timeline = new Timeline();
  const kubeconfig = inputs.kubeconfig ?? join(layout.state, 'kubeconfig');
  const reached = (name: string): void => {
    events.reached(timeline.mark(name));
  };

  const workshop = {
    cache: new ToolCache(join(options.cache, 'k3s-in-gvisor'), events.warning),
    fallback: new ToolCache(layout.ownCache, events.warning),
    narrator: events,
  };

  if (inputs.kubeconfig !== undefined) {
    await assertUnused(inputs.kubeconfig);
  }
  await saveState(layout.state, { files: [], cgroups: [] });
  await mkdir(join(layout.logs, 'pods'), { recursive: true });
  await mkdir(layout.scratch, { recursive: true });
  reached('action started');

  const [facts, k3s, images] = await Promise.all([
    gatherFacts(layout, { sysctls: PLANNED_SYSCTLS, idMapHelper: inputs.idMapHelper }),
    installK3s(inputs, { ...workshop, remote: options.remote, signal }),
    findImages(inputs.images),
  ]).catch((error: unknown) => {
    over.abort();
    throw error;
  });
  events.facts(facts);
  reached('facts found, k3s at hand');

  const tars = k3s.airgapImages === undefined ? images : [k3s.airgapImages, ...images];
  const { manifests } = runner;
  const cold = makePlan({ facts, inputs, layout, k3s, images: tars, manifests });
  const warm: WarmStart = inputs.warmStart
    ? await findWarmStart({
        ...{ plan: cold, tars, k3s: k3s.sha256, layout, workshop },
        remote: options.remote,
      })
    : { kind: 'none' };
  if (inputs.warmStart) {
    reached('prepared images looked up');
  }
  const plan =
    warm.kind === 'prepared'
      ? makePlan({ facts, inputs, layout, k3s, images: tars, manifests, prepared: warm.images })
      : cold;
  events.plan(plan);
  let state: RunState = {
    files: await missing(plan.leftBehind),
    cgroups: await missingPodCgroups(),
    idMapper:
      plan.launch.mapper === undefined
        ? undefined
        : { argv: plan.launch.mapper, native: layout.native },
  };
  await saveState(layout.state, state);
  if (applies(plan, interceptor)) {
    await bringInterceptor(layout, workshop);
    if (plan.isolation === 'none' && facts.etcRancher.result === 'no') {
      await answerNodePassword(layout.answers);
    }
    reached('interceptor at hand');
  }
  await writeFile(layout.launchFile, renderLaunchFile(plan.launch), { mode: 0o600 });

  const init = await startInit(layout);
  reached('init started');
  try {
    await withDeadline(init.launched, deadline);
    reached('k3s started');
    const server = `https://127.0.0.1:${facts.apiServerPort}`;
    await Promise.all([
      waitUntilReady({ plan, layout, server, init, deadline, reached }),
      pull({ plan, inputs, init, signal, reached }),
    ]);
    const before = state;
    state = { ...state, kubeconfig: inputs.kubeconfig };
    await saveState(layout.state, state);
    await writeKubeconfig(layout.k3sKubeconfig, kubeconfig, {
      server,
      name: options.context,
    }).catch(async (error: unknown) => {
      await saveState(layout.state, before);
      throw error;
    });
    await prove(kubeconfig, deadline);
    reached('kubeconfig used');
    await saveRecord(layout.state, {
      mode: plan.mode,
      version: k3s.version,
      server,
      kubeconfig,
      nodeName: plan.mode === 'control-plane' ? '' : plan.nodeName,
      bin: join(k3s.dataDir, 'data', 'current', 'bin'),
    });
    if (warm.kind === 'missing') {
      await saveState(layout.state, { ...state, preparation: warm.preparation });
      options.remote?.saveLater(warm.preparation.directory, warm.key);
    }
    return { kubeconfig, server, k3s, facts, plan, timeline };
  } finally {
    over.abort();
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
    dns: plan.components.includes('coredns'),
    nodeName: plan.nodeName,
    kubeconfig: layout.k3sKubeconfig,
    server,
    ended: init.ended,
    deadline,
    reached,
  });
}

/** Beside the start of the cluster: nothing in it waits for these images. */
async function pull(wait: {
  plan: Plan;
  inputs: Inputs;
  init: Init;
  signal: AbortSignal;
  reached: (name: string) => void;
}): Promise<void> {
  const { plan, inputs, init, signal, reached } = wait;
  if (inputs.pull.length === 0) {
    return;
  }
  if (plan.mode === 'control-plane') {
    throw new Error('Failed to pull images: in mode control-plane there is no containerd');
  }
  await pullImages(inputs.pull, init.pid, signal);
  reached('images pulled');
}

async function missing(paths: readonly string[]): Promise<string[]> {
  const present = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => present[index] !== true);
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
