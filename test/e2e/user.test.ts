import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { follow } from './support/follow.ts';
import { Job, type StepResult } from './support/job.ts';
import { initProcesses } from './support/processes.ts';

/** As in the official runner image. */
const RUNNER = { uid: 1001, gid: 1001 };

const INPUTS = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar` };

describe('a runner that is not root', () => {
  let sandbox: Sandbox;
  let job: Job;

  beforeAll(async () => {
    sandbox = await startClusterSandbox({ user: RUNNER });
    job = await Job.create(sandbox);
  });
  afterAll(() => sandbox.stop());

  describe('that takes what it can get', () => {
    let main: StepResult;

    beforeAll(async () => {
      main = await job.mustMain({ inputs: INPUTS });
    });
    afterAll(() => job.post());

    test('gets a node, and is told why not more and what to change', () => {
      expect(job.outputs['mode']).toBe('node');
      expect(job.outputs['node-name']).toBe(sandbox.name);
      expect(main.log).toMatch(/^Mode: node$/m);
      expect(main.log).toMatch(/^Not full: .*run the runner container as root/m);
      expect(job.summary).toMatch(/Not \*\*full\*\*: .*run the runner container as root/);
    });

    test('has a Ready node under its own user', async () => {
      const ready = '{.items[0].status.conditions[?(@.type=="Ready")].status}';
      expect(await job.must(['kubectl', 'get', 'nodes', `--output=jsonpath=${ready}`])).toBe(
        'True',
      );
      const users = await job.must(['ps', '-eo', 'user:20', '--no-headers']);
      expect(new Set(users.trim().split('\n'))).toEqual(new Set(['runner']));
    });

    // The day this pod runs, mode full is within reach here.
    test('has pods that are scheduled, and cannot start for want of other ids', async () => {
      const image = 'docker.io/rancher/mirrored-library-busybox:1.36.1';
      await job.must(['kubectl', 'run', 'probe', `--image=${image}`, '--', 'true']);
      const columns = '{.involvedObject.name} {.reason} {.message}{"\\n"}';
      await using events = follow(job, [
        ...['kubectl', 'get', 'events', '--watch', `--output=jsonpath=${columns}`],
      ]);
      await events.next(/^probe Scheduled /);
      await events.next(/^probe FailedCreatePodSandBox .*invalid argument/);
    });
  });

  test('is refused mode full, with everything that stands in its way', async () => {
    const { code, log } = await job.main({ inputs: { ...INPUTS, mode: 'full' } });
    expect(code).toBe(1);
    expect(log).toMatch(/^::error::Failed to find a way to run mode full here:/m);
    expect(log).toMatch(
      /user-namespace: no \(.*Operation not permitted\); images hold files of many users/,
    );
    expect(log).toContain('run the runner container as root');
    expect(await initProcesses(sandbox)).toEqual([]);
    await job.post();
  });
});
