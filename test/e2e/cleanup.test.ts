import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Profile } from '../testbed/state.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { Job, RUNNER_FILES, RUNNER_TEMP, TOOL_CACHE, type StepResult } from './support/job.ts';
import { initProcesses } from './support/processes.ts';
import { snapshot, type Snapshot } from './support/snapshot.ts';

/** What a run may leave: the tool cache, its logs (looked at on their own), the runner's own files. */
const DECLARED = [TOOL_CACHE, `${RUNNER_TEMP}/k3s-in-gvisor-*`, RUNNER_FILES];

const INPUTS = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' };

let sandbox: Sandbox;
let job: Job;
let before: Snapshot;

async function begin(profile: Profile): Promise<void> {
  sandbox = await startClusterSandbox({ profile });
  job = await Job.create(sandbox);
  before = await snapshot(sandbox, DECLARED);
}

/** Main until it says that it reached `rung`; then `act`, with the process ids of init's two halves. */
async function mainUntil(
  rung: string,
  act: (init: readonly string[]) => Promise<unknown>,
): Promise<StepResult> {
  let acting: Promise<unknown> | undefined;
  const result = await job.main({
    inputs: INPUTS,
    onLine: (line) => {
      if (line.endsWith(` s  ${rung}`)) acting ??= initProcesses(sandbox).then(act);
    },
  });
  if (acting === undefined) throw new Error(`main never reached "${rung}":\n${result.log}`);
  await acting;
  return result;
}

/** Waits for a process that is not a child to end. */
const ended = (pid: string): Promise<string> =>
  job.must(['timeout', '60', 'tail', `--pid=${pid}`, '--follow', '/dev/null']);

/** @param warning what post must say of the run; nothing, where all was well */
async function nothingIsLeft(warning?: RegExp): Promise<void> {
  const post = await job.post();
  expect(post.log).toContain('Stopped; the logs are in');
  const warnings = [...post.log.matchAll(/^::warning::(.*)$/gm)].map(([, text = '']) => text);
  expect(warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
  expect(post.code).toBe(0);
  expect(await snapshot(sandbox, DECLARED)).toEqual(before);
  const directory = job.state['directory'] ?? '';
  expect(await job.must(['ls', '-A', directory])).toMatch(/^(bundle\n)?logs\n$/);
}

const log = (name: string): Promise<string> =>
  job.must(['cat', `${job.outputs['logs'] ?? ''}/${name}`]);

describe('stock', () => {
  beforeAll(() => begin('stock'));
  afterAll(() => sandbox.stop());

  test('nothing is left after a run, but its logs; post can be repeated', async () => {
    await job.mustMain({ inputs: INPUTS });
    // kubectl's own cache is the step's, not the action's.
    const env = { KUBECACHEDIR: `${RUNNER_FILES}/kubectl` };
    for (const command of [
      'create deployment web --image=docker.io/library/nginx:1.22.1',
      'wait deployment/web --for=condition=Available --timeout=120s',
    ]) {
      await job.must(['kubectl', ...command.split(' ')], { env });
    }
    await nothingIsLeft();
    expect(await log('k3s.log')).toContain('kubelet');
    expect(await log('containerd.log')).toContain('starting containerd');
    expect(await job.post()).toMatchObject({
      code: 0,
      log: expect.stringMatching(/^Nothing to stop in /) as string,
    });
    expect(await snapshot(sandbox, DECLARED)).toEqual(before);
  });

  test('nothing is left when k3s dies later', async () => {
    await job.mustMain({ inputs: INPUTS });
    const [parent = ''] = await initProcesses(sandbox);
    await job.must(['pkill', '-KILL', '--full', '/k3s server$']);
    await ended(parent);
    await nothingIsLeft(
      /^The cluster ended before the job did: k3s ended with signal 9%0A.*want of memory/,
    );
    expect(await log('k3s.log')).toContain('kubelet');
  });

  test('a gateway that dies later is started again, and named in the end', async () => {
    await job.mustMain({ inputs: INPUTS });
    await job.must(['pkill', '-KILL', '--full', '/gateway --control']);
    await job.must(['kubectl', 'get', '--raw=/readyz']).catch(() => undefined);
    await nothingIsLeft(
      /^Parts of the cluster ended during the job, and were started again: gateway ended with signal 9/,
    );
  });

  test.each([
    { signal: 'KILL', rung: 'action started' },
    { signal: 'KILL', rung: 'init started' },
    { signal: 'INT', rung: 'k3s started' },
    { signal: 'TERM', rung: 'API server ready' },
  ] as const)('nothing is left when main is ended by SIG$signal at "$rung"', async (how) => {
    const { code, log } = await mainUntil(how.rung, () => job.signalMain(how.signal));
    expect(code).not.toBe(0);
    expect(log).not.toContain('kubeconfig used');
    await nothingIsLeft();
  });

  test("nothing is left when init's parent is killed, and main says so", async () => {
    const { code, log } = await mainUntil('API server ready', ([parent = '']) =>
      job.must(['kill', '-KILL', parent]),
    );
    expect(code).toBe(1);
    expect(log).toMatch(/::error::Failed to reach ".+": init ended with signal SIGKILL/);
    await nothingIsLeft();
  });

  test("nothing is left when init's child is killed", async () => {
    const { code, log } = await mainUntil('API server ready', ([, child = '']) =>
      job.must(['kill', '-KILL', child]),
    );
    expect(code).toBe(1);
    expect(log).toMatch(/::error::Failed to reach ".+": init ended with exit code 137/);
    await nothingIsLeft();
  });
});

describe('privileged', () => {
  beforeAll(() => begin('privileged'));
  afterAll(() => sandbox.stop());

  test("nothing is left after a run, in the runner's own iptables neither", async () => {
    await job.mustMain({ inputs: INPUTS });
    await nothingIsLeft();
    const found = await job.must(['find', TOOL_CACHE, '-path', '*/aux/iptables-legacy-save']);
    const [save = ''] = found.split('\n');
    for (const table of ['filter', 'nat', 'mangle']) {
      const rules = await job.must([save, '-t', table]);
      expect(rules).toMatch(/^:PREROUTING ACCEPT|^:INPUT ACCEPT/m);
      expect(rules).not.toMatch(/^-A|DROP/m);
    }
  });
});
