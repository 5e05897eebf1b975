import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  IMAGES_PATH,
  K3S_PATH,
  startClusterSandbox,
  type ClusterSandboxOptions,
} from '../testbed/cluster.ts';
import { image } from '../testbed/images/images.ts';
import { RUNNER, SHIPPED_IDMAP, WITH_HELPER, WITH_SUDO } from '../testbed/runner-image.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { follow } from './support/follow.ts';
import {
  ACTION,
  Job,
  RUNNER_FILES,
  RUNNER_TEMP,
  TOOL_CACHE,
  WORKSPACE,
  type StepResult,
} from './support/job.ts';
import { initProcesses } from './support/processes.ts';
import { inFull } from './support/profiles.ts';
import { snapshot, type Snapshot } from './support/snapshot.ts';

const INPUTS = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar` };
const BUSYBOX = 'docker.io/rancher/mirrored-library-busybox:1.36.1';
const AGNHOST = 'registry.k8s.io/e2e-test-images/agnhost:2.56';
/** kubectl's own cache is the step's, not the action's. */
const env = { KUBECACHEDIR: `${RUNNER_FILES}/kubectl` };

const POD = `
apiVersion: v1
kind: Pod
metadata: { name: owners }
spec:
  restartPolicy: Never
  volumes: [{ name: workspace, hostPath: { path: ${WORKSPACE} } }]
  containers:
    - name: main
      image: ${BUSYBOX}
      command: [sh, -ec, "mkdir -p /workspace/made && echo by root >/workspace/made/file; touch /f; chown 172761424:65537 /f; stat -c %u:%g /f"]
      volumeMounts: [{ name: workspace, mountPath: /workspace }]
`;

describe('a runner that is not root, with the helper in its image', () => {
  let sandbox: Sandbox;
  let job: Job;
  let main: StepResult;
  let before: Snapshot;
  const DECLARED = [TOOL_CACHE, `${RUNNER_TEMP}/k3s-in-gvisor-*`, RUNNER_FILES, WORKSPACE];
  const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args], { env });

  beforeAll(async () => {
    sandbox = await startClusterSandbox({ ...WITH_HELPER, registry: [await image('nginx')] });
    job = await Job.create(sandbox);
    before = await snapshot(sandbox, DECLARED);
    main = await job.mustMain({
      inputs: {
        ...INPUTS,
        'warm-start': 'true',
        pull: 'registry.test:5000/library/nginx:1.22.1',
        registries:
          "mirrors: { 'registry.test:5000': { endpoint: ['http://registry.test:5000'] } }",
      },
    });
  });
  afterAll(() => sandbox.stop());

  test('gets all of a cluster, and is told by whom its ids are mapped', () => {
    expect(job.outputs['mode']).toBe('full');
    expect(main.log).toMatch(
      /^on {2}user-namespace: .*its ids are mapped by \/usr\/local\/bin\/k3s-in-gvisor-idmap$/m,
    );
    expect(main.log).toMatch(/warm-start: nothing is kept for a runner that is not root/);
  });

  test('runs pods that use any id; what root of one writes is the runner’s own', async () => {
    await job.must(['sh', '-c', 'printf %s "$1" >pod.yaml', 'sh', POD], { cwd: RUNNER_FILES });
    await kubectl('apply', `--filename=${RUNNER_FILES}/pod.yaml`);
    await kubectl(
      'wait',
      'pod/owners',
      '--for=jsonpath={.status.phase}=Succeeded',
      '--timeout=180s',
    );
    expect(await kubectl('logs', 'owners')).toBe('172761424:65537\n');
    expect(await job.must(['cat', `${WORKSPACE}/made/file`])).toBe('by root\n');
    await job.must(['rm', '-r', `${WORKSPACE}/made`]);
  });

  test('runs a server as another user than root', async () => {
    await kubectl('create', 'deployment', 'web', '--image=docker.io/library/nginx:1.22.1');
    await kubectl('wait', 'deployment/web', '--for=condition=Available', '--timeout=180s');
    await kubectl('delete', 'deployment', 'web', '--wait');
  });

  test('post leaves nothing behind, and nothing of another owner', async () => {
    const post = await job.post();
    expect(post).toMatchObject({ code: 0 });
    expect(post.log).not.toContain('::warning::');
    expect(await snapshot(sandbox, DECLARED)).toEqual(before);
    const directories = [WORKSPACE, RUNNER_TEMP, TOOL_CACHE, RUNNER_FILES];
    expect(await job.must(['find', ...directories, '!', '-user', 'runner'])).toBe('');
    expect(await job.must(['ls', '-A', job.state['directory'] ?? ''])).toBe('logs\n');
    await job.must(['rm', '-r', job.state['directory'] ?? '']);
  });
});

/** `idmap install` as an init container's root runs it, on the volume that it shares with the runner. */
const initContainer =
  (directory: string, name: string) =>
  async (sandbox: Sandbox): Promise<void> => {
    const { code, stderr } = await sandbox.exec(
      ['/opt/testbed/idmap', 'install', `${directory}/${name}`],
      { user: { uid: 0, gid: 0 } },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  };

interface Way extends ClusterSandboxOptions {
  prepare?: (sandbox: Sandbox) => Promise<void>;
  inputs?: Record<string, string>;
  mapper: string;
}
const SHIPPED = { source: SHIPPED_IDMAP, destination: '/opt/testbed/idmap', readonly: true };

describe.each<readonly [string, Way]>([
  [
    'an init container that fills /opt/k3s-in-gvisor, a Memory emptyDir',
    {
      user: RUNNER,
      mounts: [SHIPPED],
      tmpfs: ['/opt/k3s-in-gvisor'],
      prepare: initContainer('/opt/k3s-in-gvisor', 'k3s-in-gvisor-idmap'),
      mapper: '/opt/k3s-in-gvisor/k3s-in-gvisor-idmap',
    },
  ],
  ...inFull([
    'the same elsewhere, named by an input',
    {
      user: RUNNER,
      mounts: [SHIPPED],
      tmpfs: ['/tools'],
      prepare: initContainer('/tools', 'idmap'),
      inputs: { 'id-map-helper': '/tools/idmap' },
      mapper: '/tools/idmap',
    },
  ] as const),
  ['sudo, where runsc runs with --allow-suid', { ...WITH_SUDO, mapper: '/usr/bin/sudo -n -- ' }],
  ['the helper, in the runsc of February', { ...WITH_HELPER, runsc: '2026-02', mapper: '' }],
  ...inFull(['the helper, with cgroup v2', { ...WITH_HELPER, cgroup: 'v2', mapper: '' }] as const),
])('by %s', (_, { prepare, inputs, mapper, ...options }) => {
  test('a runner that is not root gets mode full, and post ends it', async () => {
    await using sandbox = await startClusterSandbox(options);
    await prepare?.(sandbox);
    const job = await Job.create(sandbox);
    const main = await job.mustMain({ inputs: { ...INPUTS, mode: 'full', ...inputs } });
    expect(main.log).toContain(`its ids are mapped by ${mapper}`);
    await job.must(['kubectl', 'run', 'once', `--image=${BUSYBOX}`, '--restart=Never', '--', 'id']);
    const done = '--for=jsonpath={.status.phase}=Succeeded';
    await job.must(['kubectl', 'wait', 'pod/once', done, '--timeout=180s']);
    expect(await job.must(['kubectl', 'logs', 'once'])).toMatch(/^uid=0\(root\)/);
    expect(await job.post()).toMatchObject({ code: 0 });
    expect(await job.must(['find', RUNNER_TEMP, TOOL_CACHE, '!', '-user', 'runner'])).toBe('');
    expect(await initProcesses(sandbox)).toEqual([]);
  });
});

describe('a runner that is not root, with nothing prepared', () => {
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

    test('gets a node, and is told why not more and the lines to add', () => {
      expect(job.outputs['mode']).toBe('node');
      expect(job.outputs['node-name']).toBe(sandbox.name);
      expect(main.log).toMatch(/^Mode: node$/m);
      expect(main.log).toMatch(
        /^::warning::Not full: .*"RUN \S+ install \/usr\/local\/bin\/k3s-in-gvisor-idmap"/m,
      );
      expect(main.log).toMatch(/^::warning::Not full: .*run the runner container as root/m);
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
      await job.must(['kubectl', 'run', 'probe', `--image=${BUSYBOX}`, '--', 'true']);
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

  test('is told of a helper that has lost its capabilities', async () => {
    const helper = `${RUNNER_TEMP}/idmap`;
    await job.must(['cp', `${ACTION}/dist/native/linux-x64/idmap`, helper]);
    const inputs = { ...INPUTS, mode: 'full', 'id-map-helper': helper };
    const { code, log } = await job.main({ inputs });
    expect(code).toBe(1);
    expect(log).toContain(
      'user-namespace-mapped: no (Failed to map ids: this program has no capabilities here',
    );
    await job.post();
  });
});

const SECOND = `
apiVersion: v1
kind: Pod
metadata: { name: other-ids }
spec:
  restartPolicy: Never
  securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000] }
  volumes: [{ name: data, emptyDir: {} }]
  containers:
    - name: main
      image: ${BUSYBOX}
      command: [sh, -ec, "touch /data/file && chown 65534:65534 /data/file && stat -c %u:%g /data/file && id -u"]
      volumeMounts: [{ name: data, mountPath: /data }]
      resources: { limits: { memory: 64Mi } }
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] }, seccompProfile: { type: RuntimeDefault } }
`;

describe.each<readonly [string, ClusterSandboxOptions]>([
  ['the official image as it is', { user: RUNNER }],
  ['the restricted pod security standard', { user: RUNNER, profile: 'restricted' }],
])('with id-map-helper: none, in %s', (_, options) => {
  test('pods run, whatever their ids, and all of them with the runner’s', async () => {
    await using sandbox = await startClusterSandbox({ ...options, images: ['agnhost'] });
    const job = await Job.create(sandbox);
    // CoreDNS and the storage provisioner are Go programs without a shell; ready is waited for.
    const { log } = await job.mustMain({
      inputs: { ...INPUTS, mode: 'full', 'id-map-helper': 'none' },
    });
    expect(log).toMatch(/^::warning::id-map-helper: none: every process .* sees itself as root/m);
    const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args], { env });
    await job.must(['sh', '-c', 'printf %s "$1" >pod.yaml', 'sh', SECOND], { cwd: RUNNER_FILES });
    await kubectl('apply', `--filename=${RUNNER_FILES}/pod.yaml`);
    await kubectl('create', 'deployment', 'web', '--image=docker.io/library/nginx:1.22.1');
    await kubectl('expose', 'deployment', 'web', '--port=80');
    await kubectl('run', 'agnhost', `--image=${AGNHOST}`, '--', 'netexec');
    const ended = '--for=jsonpath={.status.phase}=Succeeded';
    await kubectl('wait', 'pod/other-ids', ended, '--timeout=180s');
    expect(await kubectl('logs', 'other-ids')).toBe('0:0\n0\n');
    await kubectl('wait', 'deployment/web', '--for=condition=Available', '--timeout=180s');
    await kubectl('wait', 'pod/agnhost', '--for=condition=Ready', '--timeout=180s');
    await kubectl(
      ...['exec', 'agnhost', '--', '/agnhost', 'connect', '--timeout=10s'],
      'web.default.svc.cluster.local:80',
    );
    expect(await job.post()).toMatchObject({ code: 0 });
    const directories = [WORKSPACE, RUNNER_TEMP, TOOL_CACHE];
    expect(await job.must(['find', ...directories, '!', '-user', 'runner'])).toBe('');
    expect(await initProcesses(sandbox)).toEqual([]);
  });
});

describe('a runner under the restricted pod security standard', () => {
  test('gets a node, and is told which lines of the security context are in the way', async () => {
    await using sandbox = await startClusterSandbox({ ...WITH_HELPER, profile: 'restricted' });
    const job = await Job.create(sandbox);
    const { log } = await job.mustMain({ inputs: INPUTS });
    expect(job.outputs['mode']).toBe('node');
    expect(log).toMatch(
      /^::warning::Not full: .*no_new_privs is set.*"allowPrivilegeEscalation: false"/m,
    );
    expect(await job.post()).toMatchObject({ code: 0 });
  });
});

describe('where nothing can be mounted, and the runner is not root', () => {
  test('the start ends at once, with the line to add, instead of waiting for k3s until the timeout', async () => {
    await using sandbox = await startClusterSandbox({ profile: 'bare', user: RUNNER });
    const job = await Job.create(sandbox);
    const { code, log } = await job.main({ inputs: INPUTS });
    expect(code).toBe(1);
    expect(log).toContain('"RUN install -d -o 1001 /etc/rancher"');
    expect(log).not.toContain('init started');
    await job.post();
  });
});
