import { mkdtemp, realpath } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as core from '@actions/core';
import { errorMessage } from '../errors.ts';
import { home } from '../files.ts';
import { parseInputs, type Inputs } from '../inputs/inputs.ts';
import { secretsOf } from '../inputs/secrets.ts';
import { layoutOf, whyUnusable, type Layout } from '../layout.ts';
import { redactor } from '../redact.ts';
import { docsLink } from '../report/docs.ts';
import { failureMessage, Reporter } from '../report/reporter.ts';
import { Storyteller } from '../report/story.ts';
import { renderSummary } from '../report/summary.ts';
import { adopt, takeFitting } from '../run/adopt.ts';
import { tellAll, type Reach, type RunEvents } from '../run/events.ts';
import { RUN_VARIABLE, writeCommand } from '../run/command.ts';
import { CONTEXT, start } from '../run/start.ts';
import { exportKubectl } from './kubectl.ts';
import { LOG } from './log.ts';
import { remoteCache } from './remote-cache.ts';
import { STATE_DIRECTORY, STATE_KEEP } from './state.ts';

/** The bundle of this file is dist/action/index.js. */
const DIST = join(import.meta.dirname, '..');

/** The main step. Fails the step with one message; the rest is in the log and the summary. */
export async function runMain(): Promise<void> {
  const storyteller = new Storyteller();
  let layout: Layout | undefined;
  try {
    const inputs = parseInputs((name) => core.getInput(name));
    const secrets = secretsOf(inputs);
    secrets.forEach(core.setSecret);
    let exported: Promise<void> | undefined;
    const events = tellAll(
      new Reporter(LOG, redactor(secrets), docsLink(process.env)),
      storyteller,
      {
        kubeconfig: (found) => {
          exported = layout === undefined ? undefined : exportReach(found, layout);
        },
      },
    );
    const taken = await takeFitting(inputs, events);
    const directory = taken?.directory ?? (await makeDirectory());
    core.saveState(STATE_DIRECTORY, directory);
    core.saveState(STATE_KEEP, String(taken !== undefined && inputs.keepRunning));
    layout = layoutOf(directory, DIST, arch(), process.execPath);
    core.setOutput('logs', layout.logs);
    core.setOutput('bundle', layout.bundle);
    const reach = await (taken === undefined
      ? runStart(inputs, layout, events)
      : adopt(taken, inputs, events));
    await exported;
    core.setOutput('mode', reach.plan.mode);
  } catch (error) {
    const { failure } = storyteller.story;
    core.setFailed(failure === undefined ? errorText(error) : failureMessage(failure));
  }
  await writeSummary(storyteller, layout);
}

async function runStart(inputs: Inputs, layout: Layout, events: RunEvents): Promise<Reach> {
  return start({
    inputs,
    layout,
    context: CONTEXT,
    cache: await resolved(process.env['RUNNER_TOOL_CACHE'] ?? join(home(), '.cache')),
    remote: remoteCache(),
    events,
  });
}

/** For the steps that follow, those after a failure as well. */
async function exportReach(
  { kubeconfig, server, k3s, plan }: Reach,
  layout: Layout,
): Promise<void> {
  core.setOutput('kubeconfig', kubeconfig);
  core.exportVariable('KUBECONFIG', kubeconfig);
  core.setOutput('version', k3s.version);
  core.setOutput('cache-hit', k3s.cacheHit);
  core.setOutput('node-name', plan.mode === 'control-plane' ? '' : plan.nodeName);
  core.setOutput('api-server', server);
  core.exportVariable(RUN_VARIABLE, layout.state);
  core.addPath(await writeCommand(layout));
  await exportKubectl(k3s);
}

/** The run's own, where the runner wants such things; elsewhere if that path is none for overlays. */
async function makeDirectory(): Promise<string> {
  // Without symbolic links: below another root they would lead out of it.
  const wanted = await resolved(process.env['RUNNER_TEMP'] ?? tmpdir());
  const NAME = 'k3s-in-gvisor-';
  const why = whyUnusable(join(wanted, `${NAME}000000`));
  if (why !== undefined) {
    core.notice(`The run is in ${tmpdir()}: the path ${wanted} ${why}`);
  }
  return mkdtemp(join(why === undefined ? wanted : tmpdir(), NAME));
}

/** Its own failure is a warning: where there is no summary, as on older servers, the cluster is up all the same. */
async function writeSummary({ story }: Storyteller, layout: Layout | undefined): Promise<void> {
  if (layout === undefined || !process.env['GITHUB_STEP_SUMMARY']) {
    return;
  }
  const { logs, bundle } = layout;
  try {
    await core.summary
      .addRaw(renderSummary({ story, logs, bundle, docs: docsLink(process.env) }))
      .write();
  } catch (error) {
    core.warning(`Failed to write the summary: ${errorMessage(error)}`);
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The path without symbolic links, also of what is not there yet. */
function resolved(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
