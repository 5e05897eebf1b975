import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { ExecResult } from '../testbed/exec.ts';
import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import { npmDirectory, pack } from '../testbed/npm-package.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { ACTION, Job, RUNNER_FILES, TOOL_CACHE, WORKSPACE } from './support/job.ts';
import { initProcesses } from './support/processes.ts';
import { expectScreen } from './support/screens.ts';
import { snapshot } from './support/snapshot.ts';

const STATE = '/root/.local/state/k3s-in-gvisor';
const CLUSTER = ['coredns', 'pause', 'local-path-provisioner', 'nginx', 'curl'].map(
  (name) => `--images=${IMAGES_PATH}/${name}.tar`,
);
/** Where npm is in Node's own image. */
const NPM = '/usr/local/lib/node_modules/npm';

let sandbox: Sandbox;
let job: Job;

beforeAll(async () => {
  sandbox = await startClusterSandbox({ profile: 'stock' });
  job = await Job.create(sandbox);
  await installPackage();
});
afterAll(() => sandbox.stop());

/** As whoever has it from npm: nothing of the repository but what is published. */
async function installPackage(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-'));
  const { filename } = await pack(scratch);
  await sandbox.copyIn(await npmDirectory(), NPM);
  await sandbox.copyIn(join(scratch, filename), WORKSPACE);
  await rm(scratch, { recursive: true });
  const npm = ['node', `${NPM}/bin/npm-cli.js`, '--offline', '--no-audit', '--no-fund'];
  await job.must([...npm, 'install', '--global', `${WORKSPACE}/${filename}`], {
    env: { HOME: '/root', npm_config_cache: `${RUNNER_FILES}/npm` },
  });
}

const cli = (...args: readonly string[]): Promise<ExecResult> =>
  job.exec(['k3s-in-gvisor', ...args], {
    cwd: WORKSPACE,
    env: { XDG_CACHE_HOME: TOOL_CACHE, HOME: '/root' },
  });

async function must(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

test('doctor says that pods run here, and leaves nothing', async () => {
  const before = await snapshot(sandbox, [STATE]);
  const { code, stdout } = await cli('doctor');
  expect({ code, verdict: stdout.split('\n')[0] }).toEqual({
    code: 0,
    verdict: 'Mode full can run here: pods run.',
  });
  expect(JSON.parse(await must('doctor', '--json'))).toMatchObject({ mode: 'full', fellShort: [] });
  expect(await snapshot(sandbox, [STATE])).toEqual(before);
});

test('a wrong command line says what is right, and starts nothing', async () => {
  const wrong = [
    [['start', '--mode', 'ful'], /^mode: "ful" is not known; choose auto, full/],
    [['start', '--name', 'A B'], /^--name: "A B" is not a name; use up to 32 of a-z/],
    [['start', '--registries', '@/nowhere'], /^registries: cannot read @\/nowhere: ENOENT/],
    [
      ['start', `--k3s-path=${K3S_PATH}`, '--images', '/nowhere/*.tar'],
      /^images: "\/nowhere\/\*\.tar" matches no file/m,
    ],
    [['strat'], /unknown command 'strat'\n.*start/],
  ] as const;
  for (const [args, problem] of wrong) {
    const { code, stdout, stderr } = await cli(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(problem);
  }
  const none = await cli('status');
  expect(none).toMatchObject({ code: 1, stdout: 'none\n' });
  expect((await cli('kubectl', 'get', 'nodes')).stderr).toMatch(/^Failed to find a cluster in /);
  expect(await initProcesses(sandbox)).toEqual([]);
});

test('a cluster is started, used and stopped by its name', async () => {
  const before = await snapshot(sandbox, ['/root/.local', '/root/.kube', TOOL_CACHE, RUNNER_FILES]);
  const options = ['--name=two', `--k3s-path=${K3S_PATH}`, '--mode=full', ...CLUSTER];
  const { code, stdout, stderr } = await cli('start', ...options);
  expect(code, stderr).toBe(0);
  expect(stdout).toBe(`${STATE}/two/kubeconfig\n`);
  expect(stderr).toMatch(/ s {2}cluster DNS ready\n/);
  expect(stderr).not.toContain('user-namespace');
  await expectScreen('A cluster that starts', `${stderr}${stdout}`, /^TIME (?!CoreDNS)/);

  expect((await cli('start', ...options)).stderr).toMatch(
    /^--name: a cluster named two was started/,
  );
  expect(await must('list')).toBe('two\n');
  expect(JSON.parse(await must('status', '--name=two', '--json'))).toMatchObject({
    state: 'running',
    cluster: { mode: 'full', kubeconfig: `${STATE}/two/kubeconfig` },
  });
  expect(await must('kubeconfig', '--name=two')).toContain('current-context: k3s-in-gvisor-two');
  const kubectl = (...args: readonly string[]) => must('kubectl', '--name=two', ...args);
  expect(await kubectl('get', 'nodes', '--no-headers')).toMatch(/ Ready /);
  expect(await must('exec', '--name=two', '--', 'cat', '/proc/1/comm')).toBe('init\n');
  expect(await must('exec', '--name=two', 'cat', '/proc/net/dev')).toContain('cni0');
  expect(await must('logs', '--name=two')).toContain('k3s.log\n');
  expect(await must('logs', '--name=two', 'k3s.log')).toContain('kubelet');

  // An image that was built in the job.
  await job.must(['sh', '-c', `gzip --stdout ${IMAGES_PATH}/busybox.tar >${WORKSPACE}/app.tar.gz`]);
  const loaded = (await must('load', '--name=two', 'app.tar.gz')).trim().split('\n');
  expect(loaded[0]).toMatch(/busybox/);
  expect(await must('images', '--name=two')).toContain(loaded[0] ?? '');
  // Loaded again it is said again, with the archive's other names.
  const again = (await must('load', '--name=two', 'app.tar.gz')).trim().split('\n');
  expect(again).toEqual(loaded);
  await kubectl(
    'run',
    'app',
    `--image=${loaded[0] ?? ''}`,
    '--image-pull-policy=Never',
    '--',
    'sleep',
    '600',
  );
  await kubectl('wait', '--for=condition=Ready', 'pod/app', '--timeout=60s');
  await job.must(['rm', `${WORKSPACE}/app.tar.gz`]);

  // A chart, as in the README: with helm, and the path that `start` printed.
  const helm = (...args: readonly string[]) =>
    job.must(['helm', ...args, '--timeout=3m'], {
      env: { HOME: `${RUNNER_FILES}/home`, KUBECONFIG: stdout.trim() },
    });
  await helm('install', 'web', `${ACTION}/examples/nginx-helm-chart`, '--wait');
  expect(await helm('test', 'web', '--logs')).toContain('<h1>It works.</h1>');

  expect(await must('stop', '--name=two')).toBe('');
  expect(await must('list')).toBe('');
  expect(await job.must(['ls', `${STATE}/two`])).toBe('logs\n');
  expect(
    await snapshot(sandbox, ['/root/.local', '/root/.kube', TOOL_CACHE, RUNNER_FILES]),
  ).toEqual(before);
});

test('a start that fails, or is interrupted, leaves nothing but its logs', async () => {
  const options = [`--k3s-path=${K3S_PATH}`, '--mode=control-plane'];
  const failed = await cli('start', ...options, '--k3s-args=--no-such-flag=1');
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toContain('Look at k3s-args');
  await expectScreen('A cluster that does not', failed.stderr, /^k3s does not know/);
  expect(await must('list')).toBe('');

  const started = cli('start', ...options);
  await expect.poll(() => initProcesses(sandbox), { timeout: 60_000 }).toHaveLength(2);
  await job.must(['pkill', '-INT', '--full', '/bin/k3s-in-gvisor start']);
  expect(await started).toMatchObject({ code: 1, stdout: '' });
  expect((await started).stderr).toMatch(/interrupted by SIGINT\n$/);
  expect(await must('list')).toBe('');
  expect(await initProcesses(sandbox)).toEqual([]);
});

test('later steps of a workflow have it on their path, for the cluster of the action', async () => {
  await job.mustMain({ inputs: { 'k3s-path': K3S_PATH, mode: 'control-plane' } });
  expect(await job.must(['k3s-in-gvisor', 'status'])).toMatch(/^running\nmode: control-plane\n/);
  await job.post();
  expect(await job.exec(['node', `${ACTION}/dist/cli/index.js`, 'status'])).toMatchObject({
    code: 1,
  });
});

test('exec says what this gVisor refuses, where it lets nobody into a user namespace', async () => {
  await using old = await startClusterSandbox({ profile: 'stock', runsc: '2026-02' });
  const own = await Job.create(old);
  await own.mustMain({ inputs: { 'k3s-path': K3S_PATH, mode: 'control-plane' } });
  const { code, stdout, stderr } = await own.exec(['k3s-in-gvisor', 'exec', '--', 'true']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^Failed to enter the node: .*nsenter.*lets nobody into a user namespace/s,
  );
  await own.post();
});
