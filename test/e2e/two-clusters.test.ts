import { afterAll, beforeAll, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { ACTION, Job, RUNNER_FILES, TOOL_CACHE } from './support/job.ts';
import { snapshot } from './support/snapshot.ts';

const IMAGE = 'docker.io/library/nginx:1.22.1';

let sandbox: Sandbox;
let job: Job;

beforeAll(async () => {
  sandbox = await startClusterSandbox();
  job = await Job.create(sandbox);
});
afterAll(() => sandbox.stop());

/** The command line's own home, so that what it leaves is in places that are declared. */
const cli = (...args: readonly string[]): Promise<string> =>
  job.must(['node', `${ACTION}/dist/cli/index.js`, ...args], {
    env: { XDG_CACHE_HOME: TOOL_CACHE, HOME: `${RUNNER_FILES}/home`, KUBECONFIG: '' },
  });

/** Of both clusters, by their own kubectl. */
const clusters = {
  action: (...args: readonly string[]) => job.must(['kubectl', ...args]),
  cli: (...args: readonly string[]) => cli('kubectl', '--name=other', ...args),
};

async function serves(kubectl: (...args: readonly string[]) => Promise<string>, pod: string) {
  await kubectl('run', pod, `--image=${IMAGE}`, '--restart=Never');
  await kubectl('wait', `pod/${pod}`, '--for=condition=Ready', '--timeout=180s');
}

test('two clusters of one sandbox keep out of each other’s way, and end one by one', async () => {
  const declared = [TOOL_CACHE, '/home/runner/_work/_temp', RUNNER_FILES, '/root/.kube'];
  const before = await snapshot(sandbox, declared);
  const inputs = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' };
  await job.mustMain({ inputs });
  await cli(
    'start',
    '--name=other',
    `--k3s-path=${K3S_PATH}`,
    '--mode=full',
    `--images=${IMAGES_PATH}/*.tar`,
  );
  await serves(clusters.action, 'one');
  await serves(clusters.cli, 'two');

  // Each kubelet looks after its own pods' cgroups, and removes others it finds.
  const roots = await job.must(['sh', '-c', 'ls -d /sys/fs/cgroup/memory/*/kubepods']);
  expect(roots.trim().split('\n')).toHaveLength(2);
  expect(await job.must(['ls', '/sys/fs/cgroup/memory'])).not.toMatch(/^kubepods$/m);

  // What the older one's end removes is not the other's.
  expect(await job.post()).toMatchObject({ code: 0 });
  expect(await job.must(['sh', '-c', 'ls -d /sys/fs/cgroup/memory/*/kubepods'])).toMatch(/^\S+\n$/);
  const status = '--output=jsonpath={.status.phase} {.status.containerStatuses[0].restartCount}';
  expect(await clusters.cli('get', 'pod', 'two', status)).toBe('Running 0');
  await serves(clusters.cli, 'three');

  await cli('stop', '--name=other');
  expect(await snapshot(sandbox, declared)).toEqual(before);
});
