import { mkdtemp } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as core from '@actions/core';
import { errorMessage } from './errors.ts';
import { parseInputs } from './inputs.ts';
import { layoutOf } from './layout.ts';
import { explainFailure } from './report/failure.ts';
import { Reporter, type Log } from './report/reporter.ts';
import { renderSummary } from './report/summary.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';

/** The state's key in GITHUB_STATE: the run's own directory, from which post knows the rest. */
const STATE_DIRECTORY = 'directory';

const LOG: Log = {
  info: core.info,
  group: (title, body) => {
    core.startGroup(title);
    body();
    core.endGroup();
  },
};

/** The main step. Fails the step with one message; the rest is in the log and the summary. */
export async function runAction(): Promise<void> {
  let logs = '';
  try {
    const inputs = parseInputs((name) => core.getInput(name));
    const directory = await mkdtemp(join(process.env['RUNNER_TEMP'] ?? tmpdir(), 'k3s-in-gvisor-'));
    core.saveState(STATE_DIRECTORY, directory);
    const layout = layoutOf(directory, join(import.meta.dirname, '..'), arch(), process.execPath);
    logs = layout.logs;
    core.setOutput('logs', layout.logs);

    const started = await start({
      inputs,
      layout,
      cache: process.env['RUNNER_TOOL_CACHE'] ?? join(tmpdir(), 'tool-cache'),
      reporter: new Reporter(LOG),
    });
    core.setOutput('kubeconfig', started.kubeconfig);
    core.exportVariable('KUBECONFIG', started.kubeconfig);
    core.setOutput('mode', started.plan.mode);
    core.setOutput('version', started.k3s.version);
    core.setOutput('node-name', started.plan.mode === 'control-plane' ? '' : started.plan.nodeName);
    core.setOutput('api-server', started.server);
    await core.summary.addRaw(renderSummary(started)).write();
  } catch (error) {
    core.setFailed(await explainFailure(error, logs, LOG));
  }
}

/** The post step: ends everything, whatever happened. Its own failure is a warning, the job's result stands. */
export async function runPost(): Promise<void> {
  const directory = core.getState(STATE_DIRECTORY);
  if (directory === '') {
    return;
  }
  try {
    await stop(directory);
    core.info(`Stopped; the logs are in ${join(directory, 'logs')}`);
  } catch (error) {
    core.warning(`Failed to clean up: ${errorMessage(error)}`);
  }
}
