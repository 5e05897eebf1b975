import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import { JOB_CONTAINER } from '../testbed/runner-image.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { Job, JOB_CONTAINER_PLACES, RUNNER_FILES, type StepResult } from './support/job.ts';
import { snapshot, type Snapshot } from './support/snapshot.ts';

const BUSYBOX = 'docker.io/rancher/mirrored-library-busybox:1.36.1';
const { temp, tools, workspace } = JOB_CONTAINER_PLACES;

describe('in a job’s own container, as ARC’s containerMode kubernetes makes one', () => {
  let volume: string;
  let sandbox: Sandbox;
  let job: Job;
  let main: StepResult;
  let before: Snapshot;
  const DECLARED = [tools, `${temp}/k3s-in-gvisor-*`, RUNNER_FILES];

  beforeAll(async () => {
    // The runner's work volume: a claim's, so not the sandbox's own file system.
    volume = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-work-'));
    sandbox = await startClusterSandbox({
      ...JOB_CONTAINER,
      mounts: [{ source: volume, destination: '/__w', readonly: false }],
    });
    job = await Job.create(sandbox, JOB_CONTAINER_PLACES);
    before = await snapshot(sandbox, DECLARED);
    main = await job.mustMain({
      inputs: { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' },
    });
  });
  afterAll(async () => {
    await sandbox.stop();
    await rm(volume, { recursive: true });
  });

  test('there is no Node but the runner’s', async () => {
    expect((await sandbox.exec(['sh', '-c', 'command -v node'])).code).not.toBe(0);
    expect(main.log).toMatch(/^Mode: full$/m);
  });

  test('keeps k3s in the tool cache of the job', async () => {
    expect(await job.must(['find', tools, '-name', 'kubectl'])).toMatch(/^\/__t\//);
  });

  test('pods run, and see the workspace by hostPath', async () => {
    const overrides = {
      spec: {
        volumes: [{ name: 'w', hostPath: { path: workspace } }],
        containers: [
          {
            name: 'once',
            image: BUSYBOX,
            command: ['sh', '-c', 'echo made >/w/file'],
            volumeMounts: [{ name: 'w', mountPath: '/w' }],
          },
        ],
      },
    };
    const env = { KUBECACHEDIR: `${RUNNER_FILES}/kubectl` };
    const run = ['run', 'once', `--image=${BUSYBOX}`, '--restart=Never'];
    await job.must(['kubectl', ...run, `--overrides=${JSON.stringify(overrides)}`], { env });
    const done = '--for=jsonpath={.status.phase}=Succeeded';
    await job.must(['kubectl', 'wait', 'pod/once', done, '--timeout=180s'], { env });
    expect(await job.must(['cat', `${workspace}/file`])).toBe('made\n');
    await job.must(['rm', `${workspace}/file`]);
  });

  test('post leaves nothing behind', async () => {
    expect(await job.post()).toMatchObject({ code: 0 });
    expect(await snapshot(sandbox, DECLARED)).toEqual(before);
  });
});

describe('the runner’s paths', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startClusterSandbox();
  });
  afterAll(() => sandbox.stop());
  const inputs = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' };

  test('may be long, and lead through a symbolic link', async () => {
    const real = `/home/runner/${'a-long-name-'.repeat(9)}`;
    await sandbox.exec(['mkdir', '-p', `${real}/tools`]);
    await sandbox.exec(['ln', '-s', real, '/home/runner/link']);
    const job = await Job.create(sandbox, {
      temp: '/home/runner/link/_temp',
      tools: `${real}/tools`,
    });
    await job.mustMain({ inputs });
    await job.must(['kubectl', 'run', 'once', `--image=${BUSYBOX}`, '--restart=Never', '--', 'id']);
    const done = '--for=jsonpath={.status.phase}=Succeeded';
    await job.must(['kubectl', 'wait', 'pod/once', done, '--timeout=180s']);
    expect(await job.post()).toMatchObject({ code: 0 });
    expect(await job.must(['ls', '-A', job.state['directory'] ?? ''])).toBe('logs\n');
  });
});
