import { afterAll, beforeAll, expect, test } from 'vitest';

import type { ExecResult } from '../testbed/exec.ts';
import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { ACTION, Job, TOOL_CACHE, WORKSPACE } from './support/job.ts';
import { initProcesses } from './support/processes.ts';

const DIRECTORY = '/tmp/k3s-in-gvisor-0/for-action';
const OFFERED = ['coredns', 'pause', 'local-path-provisioner'].map(
  (name) => `${IMAGES_PATH}/${name}.tar`,
);
const INPUTS = { 'k3s-path': K3S_PATH, images: OFFERED.join('\n') };

let sandbox: Sandbox;
let job: Job;

beforeAll(async () => {
  sandbox = await startClusterSandbox({ profile: 'stock' });
  job = await Job.create(sandbox);
});
afterAll(() => sandbox.stop());

/** As an entrypoint or a hook runs it: another home, and nothing of the job's environment. */
const startForAction = (...args: readonly string[]): Promise<ExecResult> =>
  sandbox.exec(
    [
      'node',
      `${ACTION}/dist/cli/index.js`,
      'start',
      '--for-action',
      `--k3s-path=${K3S_PATH}`,
      ...args,
    ],
    { cwd: '/', env: { XDG_CACHE_HOME: TOOL_CACHE, HOME: '/home/entrypoint' } },
  );

test('the action adopts a cluster that was started before the job, again and again', async () => {
  const images = OFFERED.map((path) => `--images=${path}`);
  // An entrypoint starts it beside the runner; the job may be there first.
  const starting = startForAction('--mode=full', ...images);
  await job.must(['sh', '-c', `until test -e ${DIRECTORY}/starting; do sleep 0.1; done`]);
  const kubeconfig = `${WORKSPACE}/.kube/made`;
  const first = await job.mustMain({
    inputs: { ...INPUTS, mode: 'full', 'keep-running': 'true', kubeconfig },
  });
  const started = await starting;
  expect(started.code, started.stderr).toBe(0);
  expect(started.stdout).toBe(`${DIRECTORY}/kubeconfig\n`);
  expect(await job.must(['stat', '-c', '%a', '/tmp/k3s-in-gvisor-0', DIRECTORY])).toBe(
    '700\n700\n',
  );
  expect(first.log).toContain('… the cluster that is started before the job: starting\n');
  expect(first.log).toMatch(/ s {2}cluster adopted\n/);
  expect(first.log).not.toContain('k3s started');
  expect(job.outputs).toMatchObject({
    kubeconfig,
    mode: 'full',
    'api-server': 'https://127.0.0.1:6443',
    logs: `${DIRECTORY}/logs`,
  });
  expect(job.summary).toMatch(/^### k3s v\S+ in gVisor: ready after /);
  expect(await job.must(['kubectl', 'get', 'nodes', '--no-headers'])).toMatch(/ Ready /);
  expect(await job.must(['k3s-in-gvisor', 'status'])).toMatch(/^running\n/);
  // A cluster serves one action at a time.
  expect((await startForAction('--mode=full')).stderr).toContain('started and not stopped');
  const [init] = await initProcesses(sandbox);
  const left = await job.post();
  expect(left).toMatchObject({ code: 0 });
  expect(left.log).toContain('The cluster is left to the next job');
  expect(await job.must(['ls', '-A', WORKSPACE])).not.toContain('.kube');
  expect((await initProcesses(sandbox))[0]).toBe(init);
  // A hook of each job says it again, and finds it.
  const again = await startForAction('--mode=full', ...images);
  expect(again).toMatchObject({ code: 0, stdout: started.stdout });

  // An image that the next job brings is loaded, and nothing else waits.
  const second = await job.mustMain({
    inputs: { ...INPUTS, images: `${INPUTS.images}\n${IMAGES_PATH}/nginx.tar` },
  });
  expect(second.log).toMatch(/cluster adopted\n[^]* s {2}images loaded\n/);
  expect(await job.must(['k3s-in-gvisor', 'images'])).toContain('nginx');
  expect((await job.post()).log).toContain('Stopped; the logs are in ');
  expect(await initProcesses(sandbox)).toEqual([]);
});

test('one that has ended is replaced, and one that is not what the inputs want; the log says why', async () => {
  expect(await startForAction('--mode=control-plane')).toMatchObject({ code: 0 });
  const [parent = ''] = await initProcesses(sandbox);
  await job.must(['kill', '-KILL', parent]);
  const anew = await startForAction('--mode=control-plane');
  expect(anew.code, anew.stderr).toBe(0);
  expect(anew.stderr).toContain(
    'The cluster that was started before is replaced: its processes have ended',
  );

  const { log } = await job.mustMain({
    inputs: { 'k3s-path': K3S_PATH, mode: 'control-plane', components: 'none' },
  });
  expect(log).toContain(
    '::notice::The cluster that was started before the job is replaced: components: not what the cluster was started with',
  );
  expect(log).toMatch(/ s {2}k3s started\n/);
  expect(job.outputs['logs']).not.toContain(DIRECTORY);
  await job.post();
  expect(await initProcesses(sandbox)).toEqual([]);
});

test("a directory that is not this user's alone is left alone", async () => {
  await job.must(['chmod', '0755', '/tmp/k3s-in-gvisor-0']);
  const { code, stderr } = await startForAction('--mode=control-plane');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^--for-action: \/tmp\/k3s-in-gvisor-0 is not a directory that belongs/);
});
