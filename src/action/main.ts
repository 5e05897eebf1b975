import { mkdtemp } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as core from '@actions/core';
import { which } from '@actions/io';
import { parseInputs } from '../inputs/inputs.ts';
import { layoutOf } from '../layout.ts';
import { explainFailure } from '../report/failure.ts';
import { Reporter } from '../report/reporter.ts';
import { renderSummary } from '../report/summary.ts';
import { RUN_VARIABLE, writeCommand } from '../run/command.ts';
import { CONTEXT, start } from '../run/start.ts';
import { LOG } from './log.ts';
import { remoteCache } from './remote-cache.ts';
import { STATE_DIRECTORY } from './state.ts';

/** The bundle of this file is dist/action/index.js. */
const DIST = join(import.meta.dirname, '..');

/** The main step. Fails the step with one message; the rest is in the log and the summary. */
export async function runMain(): Promise<void> {
  let logs = '';
  try {
    const inputs = parseInputs((name) => core.getInput(name));
    inputs.registries?.secrets.forEach(core.setSecret);
    inputs.k3sArgs.secrets.forEach(core.setSecret);
    const directory = await mkdtemp(join(process.env['RUNNER_TEMP'] ?? tmpdir(), 'k3s-in-gvisor-'));
    core.saveState(STATE_DIRECTORY, directory);
    const layout = layoutOf(directory, DIST, arch(), process.execPath);
    logs = layout.logs;
    core.setOutput('logs', layout.logs);

    const started = await start({
      inputs,
      layout,
      context: CONTEXT,
      cache: process.env['RUNNER_TOOL_CACHE'] ?? join(tmpdir(), 'tool-cache'),
      remote: remoteCache(),
      events: new Reporter(LOG),
    });
    core.setOutput('kubeconfig', started.kubeconfig);
    core.exportVariable('KUBECONFIG', started.kubeconfig);
    if ((await which('kubectl')) === '') {
      core.addPath(started.k3s.tools);
    }
    core.exportVariable(RUN_VARIABLE, directory);
    core.addPath(await writeCommand(layout));
    core.setOutput('mode', started.plan.mode);
    core.setOutput('version', started.k3s.version);
    core.setOutput('cache-hit', started.k3s.cacheHit);
    core.setOutput('node-name', started.plan.mode === 'control-plane' ? '' : started.plan.nodeName);
    core.setOutput('api-server', started.server);
    await core.summary.addRaw(renderSummary(started)).write();
  } catch (error) {
    core.setFailed(await explainFailure(error, logs, LOG));
  }
}
