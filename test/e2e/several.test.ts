/** Several clusters on one runner: a job that uses the action twice, and one that follows a killed job. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { Job } from './support/job.ts';
import { kernelState } from './support/snapshot.ts';

const INPUTS = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' };
const NODE_PORT = 30080;
const PATIENCE = { timeout: 120_000, interval: 1000 };

let sandbox: Sandbox;
let first: Job;
let second: Job;
let before: Awaited<ReturnType<typeof running>>;

beforeAll(async () => {
  sandbox = await startClusterSandbox({ images: ['agnhost'] });
  first = await Job.create(sandbox);
  second = await Job.create(sandbox);
  before = await running();
});
afterAll(() => sandbox.stop());

/** A pod that says its name, and a Service that wants the node port. */
async function serve(job: Job, name: string): Promise<void> {
  for (const command of [
    `run ${name} --image=registry.k8s.io/e2e-test-images/agnhost:2.56 --labels=app=web -- netexec`,
    `create service nodeport web --tcp=80:8080 --node-port=${NODE_PORT}`,
    `wait pod/${name} --for=condition=Ready --timeout=180s`,
  ]) {
    await job.must(['kubectl', ...command.split(' ')]);
  }
}

async function served(): Promise<string> {
  const url = `http://127.0.0.1:${NODE_PORT}/hostname`;
  return (await sandbox.exec(['curl', '--silent', '--max-time', '10', url])).stdout;
}

async function running() {
  const { processes, listeners } = await kernelState(sandbox);
  return { processes, listeners };
}

/** The root of each cluster's pods. */
const podCgroups = () => first.must(['sh', '-c', 'ls -d /sys/fs/cgroup/memory/*/kubepods']);

test('a job that uses the action twice has two clusters, and an Event for a port that both want', async () => {
  await first.mustMain({ inputs: INPUTS });
  await serve(first, 'first');
  await expect.poll(served, PATIENCE).toBe('first');
  await second.mustMain({ inputs: INPUTS, env: { RUNNER_TRACKING_ID: 'github_second' } });
  await serve(second, 'second');
  const events = ['get', 'events', '--field-selector=involvedObject.name=web'];
  await expect
    .poll(() => second.must(['kubectl', ...events]), PATIENCE)
    .toMatch(/FrontendRefused .*Failed to listen on 127\.0\.0\.1:30080 of the runner: Address/);
  expect(await served()).toBe('first');
  const pods = ['kubectl', 'get', 'pods', '--output=name'];
  expect(await first.must(pods)).toBe('pod/first\n');
  // Each kubelet looks after its own pods' cgroups, and removes others it finds.
  expect((await podCgroups()).trim().split('\n')).toHaveLength(2);
  expect(await first.must(['ls', '/sys/fs/cgroup/memory'])).not.toMatch(/^kubepods$/m);
  expect(await second.must(pods)).toBe('pod/second\n');
});

test("one's post step leaves the other alone, which then has the port", async () => {
  expect((await first.post()).code).toBe(0);
  await expect.poll(served, PATIENCE).toBe('second');
  // What the older one's end removes is not the other's.
  expect(await podCgroups()).toMatch(/^\S+\n$/);
  const restarts = '--output=jsonpath={.status.phase} {.status.containerStatuses[0].restartCount}';
  expect(await second.must(['kubectl', 'get', 'pod', 'second', restarts])).toBe('Running 0');
  expect(await second.must(['kubectl', 'get', '--raw=/readyz'])).toBe('ok');
});

test('what a killed job left is ended by the runner, and the next job has all of its own', async () => {
  // The runner kills, without a post step, whatever has the job's mark (actions/runner, JobExtension.cs).
  const ended = `for process in /proc/[0-9]*; do
    if tr '\\0' '\\n' <$process/environ | grep -qx RUNNER_TRACKING_ID=github_second; then
      kill -KILL "\${process#/proc/}"
    fi
  done 2>/dev/null; true`;
  await second.must(['sh', '-c', ended]);
  await expect.poll(running, PATIENCE).toEqual(before);
  const next = await Job.create(sandbox);
  await next.mustMain({ inputs: INPUTS });
  await serve(next, 'next');
  await expect.poll(served, PATIENCE).toBe('next');
  expect((await next.post()).code).toBe(0);
  expect(await running()).toEqual(before);
});
