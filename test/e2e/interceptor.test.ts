import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import { COMPILER } from '../testbed/rootfs.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { runWorkflow } from '../testbed/workflow.ts';
import { follow } from './support/follow.ts';
import { ACTION, Job, ROOT, RUNNER_FILES, type StepResult } from './support/job.ts';

const INPUTS = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar` };

/** kubectl's cache is the step's, not the action's. */
const env = { KUBECACHEDIR: `${RUNNER_FILES}/kubectl` };

describe('where nothing can be mounted, with a compiler', () => {
  let sandbox: Sandbox;
  let job: Job;
  let main: StepResult;

  beforeAll(async () => {
    sandbox = await startClusterSandbox({ profile: 'bare', packages: COMPILER });
    job = await Job.create(sandbox);
    main = await job.mustMain({ inputs: INPUTS });
  });
  afterAll(() => sandbox.stop());

  test('falls to mode node, and says why', () => {
    expect(job.outputs['mode']).toBe('node');
    expect(main.log).toMatch(
      /^::warning::Not full: .*tmpfs: no \(Failed to mount tmpfs: Operation not permitted\)/m,
    );
    expect(main.log).toMatch(/on {2}interceptor: nothing can be mounted here/);
    expect(job.summary).toMatch(/\| interceptor \| nothing can be mounted here/);
  });

  test('compiles the interceptor, and runs k3s under it', async () => {
    expect(main.log).toMatch(/^interceptor: compiling with \/usr\/bin\/cc \(cc \(Debian /m);
    expect(main.log).toMatch(/ s {2}interceptor at hand$/m);
    const tracer = await job.must(['pgrep', '--full', '^[^ ]*/interceptor --root']);
    const status = '/proc/$(pgrep --full "/k3s server$" | tail -1)/status';
    const traced = await job.must(['sh', '-c', `sed -n 's/^TracerPid:\\t//p' ${status}`]);
    expect(traced).toBe(tracer);
  });

  test('has a Ready node', async () => {
    const ready = '{.items[0].status.conditions[?(@.type=="Ready")].status}';
    const get = ['kubectl', 'get', 'nodes', `--output=jsonpath=${ready}`];
    expect(await job.must(get, { env })).toBe('True');
  });

  test('has pods that are scheduled, and says why they cannot start', async () => {
    const image = 'docker.io/rancher/mirrored-library-busybox:1.36.1';
    await job.must(['kubectl', 'run', 'probe', `--image=${image}`, '--', 'true'], { env });
    const columns = '{.involvedObject.name} {.reason} {.message}{"\\n"}';
    await using events = follow(job, [
      ...['kubectl', 'get', 'events', '--watch', `--output=jsonpath=${columns}`],
    ]);
    await events.next(/^probe Scheduled /);
    await events.next(/^probe FailedMount MountVolume.SetUp failed .*mount failed/);
    await events.next(/^Output: mount: .*permission denied/);
  });

  test('takes what it compiled from the tool cache the next time', async () => {
    await job.post();
    const again = await job.mustMain({ inputs: INPUTS });
    expect(again.log).toMatch(/^interceptor: compiled before, in the tool cache: /m);
    await job.post();
  });

  test('goes on with the binary that ships if the compiler fails, and says so', async () => {
    // A source that does not compile, under a key of its own.
    await job.must(['sh', '-c', `echo '#error broken' >>${ACTION}/native/interceptor/main.c`]);
    const { log } = await job.mustMain({ inputs: INPUTS });
    expect(log).toMatch(/::warning::Using the interceptor that ships .*#error broken/);
    await job.post();
  });
});

describe('by force, where pods run', () => {
  test('the chart is installed and tested under it', async () => {
    await using sandbox = await startClusterSandbox();
    const { code, log } = await runWorkflow(sandbox, {
      workflowFile: join(ROOT, 'test/e2e/workflows/chart.yml'),
      repoDir: ROOT,
      env: { SYSCTLS: 'ptrace' },
    });
    expect(code, log).toBe(0);
    expect(log).toContain('interceptor: no cc on this runner');
    expect(log).toMatch(/on {2}interceptor: the input sysctls asks for it/);
    expect(log).toMatch(/off sysctl-overlay/);
    expect(log).toMatch(/Phase: +Succeeded/);
  });
});
