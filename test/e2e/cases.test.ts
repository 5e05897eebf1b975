/**
 * Cases that people met with other clusters in containers, or with this one: what their charts ask for
 * is there, or is refused in words they understand.
 */
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { Job, ROOT, TOOL_CACHE } from './support/job.ts';

/** For a pod to start, on a machine that runs other tests at the same time. */
const PATIENCE = '--timeout=180s';
const MEBIBYTE = 1024 * 1024;

const BUSYBOX = 'docker.io/rancher/mirrored-library-busybox:1.36.1';
const PORT_RANGE = '/proc/sys/net/ipv4/ip_local_port_range';

let sandbox: Sandbox;
let job: Job;
let node: string;
let portRange: string;

beforeAll(async () => {
  sandbox = await startClusterSandbox({ images: ['agnhost', 'large-ids'] });
  job = await Job.create(sandbox);
  portRange = await job.must(['cat', PORT_RANGE]);
  await job.mustMain({
    inputs: {
      'k3s-path': K3S_PATH,
      images: `${IMAGES_PATH}/*.tar`,
      mode: 'full',
      'k3s-args': '--kubelet-arg=allowed-unsafe-sysctls=net.ipv4.ip_nonlocal_bind',
    },
  });
  await sandbox.copyIn(join(ROOT, 'test/e2e/manifests'), '/tmp/manifests');
  await kubectl('apply', '--filename=/tmp/manifests/cases.yaml');
  node = await kubectl('get', 'nodes', '--output=jsonpath={.items[0].metadata.name}');
});
afterAll(() => sandbox.stop());

const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args]);
/** A shell command in a container. */
const inside = (pod: string, script: string, container = 'main'): Promise<string> =>
  kubectl('exec', pod, `--container=${container}`, '--', 'sh', '-c', script);
const wait = (what: string, condition: string): Promise<string> =>
  kubectl('wait', what, `--for=${condition}`, PATIENCE);
const ready = (pod: string): Promise<string> => wait(`pod/${pod}`, 'condition=Ready');
const succeeded = (pod: string): Promise<string> =>
  wait(`pod/${pod}`, 'jsonpath={.status.phase}=Succeeded');
const field = (what: string, path: string): Promise<string> =>
  kubectl('get', what, `--output=jsonpath={${path}}`);

describe('storage and memory', () => {
  const capacity = ".status.capacity['ephemeral-storage']";

  test('a pod that requests ephemeral-storage runs, on what the node really has', async () => {
    await ready('ephemeral-storage');
    const storage = await field(`node/${node}`, capacity);
    const memory = await field(`node/${node}`, '.status.capacity.memory');
    expect(storage).toMatch(/^\d+Ki$/);
    expect(parseInt(storage)).toBeGreaterThan(100 * 1024);
    expect(parseInt(storage)).toBeLessThanOrEqual(parseInt(memory));
  });

  test('the node keeps its ephemeral-storage, whoever writes its status', async () => {
    const before = await field(`node/${node}`, capacity);
    const path = (part: string) => `/status/${part}/ephemeral-storage`;
    const patch = ['capacity', 'allocatable'].map((part) => ({ op: 'remove', path: path(part) }));
    await kubectl(
      ...['patch', 'node', node, '--subresource=status', '--type=json'],
      ...['--patch', JSON.stringify(patch)],
    );
    await wait(`node/${node}`, `jsonpath={${capacity}}=${before}`);
  });

  test('a program sees the memory limit of its container', async () => {
    await ready('ephemeral-storage');
    const limit = await inside(
      'ephemeral-storage',
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes',
    );
    expect(Number(limit)).toBe(256 * MEBIBYTE);
  });
});

describe('kernel parameters', () => {
  test("a pod's sysctls are shown to it, and what they are for is there", async () => {
    await ready('pod-sysctls');
    expect(
      await inside('pod-sysctls', 'id -u; cat /proc/sys/net/ipv4/ip_unprivileged_port_start'),
    ).toBe('1000\n0\n');
    expect(await inside('pod-sysctls', 'sysctl kernel.shm_rmid_forced')).toBe(
      'kernel.shm_rmid_forced = 1\n',
    );
    expect(await inside('pod-sysctls', `cat ${PORT_RANGE}`)).toBe('20000 30000\n');
  });

  test('a sysctl that no pod can have here is refused in an event that says so', async () => {
    const events = ['get', 'events', '--field-selector=involvedObject.name=refused-sysctl'];
    await expect
      .poll(() => kubectl(...events), { timeout: 180_000, interval: 1000 })
      .toMatch(
        /The pod asks for sysctl net\.ipv4\.ip_nonlocal_bind=1 in its securityContext, which gVisor cannot give/,
      );
    await kubectl('delete', 'pod', 'refused-sysctl', '--wait=false');
  });

  test('a privileged init container sets kernel parameters for itself', async () => {
    await succeeded('init-sysctls');
    const written = await kubectl('logs', 'init-sysctls', '--container=writes');
    expect(written).toMatch(/^10000$/m);
    const limit = await kubectl('logs', 'init-sysctls', '--container=main');
    expect(Number(limit)).toBeGreaterThanOrEqual(262_144);
  });

  test("neither has touched the runner's", async () => {
    expect(await job.must(['cat', PORT_RANGE])).toBe(portRange);
  });

  test('pods may open as many files as in a k3s of systemd, or as the runner may', async () => {
    await ready('ephemeral-storage');
    const most = Number(await job.must(['sh', '-c', 'ulimit -Hn']));
    const expected = String(Math.min(1_048_576, most));
    expect(await inside('ephemeral-storage', 'ulimit -Sn; ulimit -Hn')).toBe(
      `${expected}\n${expected}\n`,
    );
  });

  test('a process sets what its core dump would hold', async () => {
    await succeeded('core-dumps');
    expect(await kubectl('logs', 'core-dumps')).toMatch(/^0*31\n$/);
  });
});

// As JupyterHub's chart and service meshes do it. There is no nftables in gVisor.
describe('packet filters of a pod', () => {
  let address: string;
  /** curl's code is 28 where a packet was dropped. */
  const ask = (pod: string, container: string): Promise<string> =>
    inside(pod, `curl -s -o /dev/null -m 10 http://${address}/hostname; echo $?`, container);

  beforeAll(async () => {
    await ready('pod-sysctls');
    address = await field('pod/pod-sysctls', '.status.podIP');
    const [legacy = ''] = (
      await job.must(['find', TOOL_CACHE, '-path', '*/aux/iptables-legacy'])
    ).split('\n');
    const init = (name: string, command: readonly string[]) => ({
      ...{ name, image: BUSYBOX, command, securityContext: { privileged: true } },
      volumeMounts: [{ name: 'tools', mountPath: '/tools' }],
    });
    const rule = ['OUTPUT', '--protocol', 'tcp', '--destination', address, '--destination-port'];
    const overrides = {
      spec: {
        initContainers: [
          init('drops', ['/tools/iptables-legacy', '--append', ...rule, '80', '--jump', 'DROP']),
          init('nft', ['sh', '-c', '/tools/iptables-nft --list 2>&1; true']),
        ],
        volumes: [{ name: 'tools', hostPath: { path: dirname(legacy) } }],
      },
    };
    await kubectl(
      ...['run', 'filters', '--image=registry.k8s.io/e2e-test-images/agnhost:2.56'],
      `--overrides=${JSON.stringify(overrides)}`,
    );
    await ready('filters');
  });

  test('hold for it, where iptables-legacy writes them, and for no other pod', async () => {
    expect(await ask('loopback', 'asks')).toBe('0\n');
    expect(await ask('filters', 'filters')).toBe('28\n');
  });

  test('leave it what they do not drop: pods, Services and names', async () => {
    expect(
      await kubectl('exec', 'filters', '--', '/agnhost', 'connect', 'kubernetes.default:443'),
    ).toBe('');
  });

  test('cannot be written by iptables-nft, which says so', async () => {
    expect(await kubectl('logs', 'filters', '--container=nft')).toContain(
      'Failed to initialize nft: Protocol not supported',
    );
  });
});

describe('users', () => {
  test('files of an image and pods have ids of any size', async () => {
    await ready('large-ids');
    expect(await inside('large-ids', 'id -u; id -G; stat -c "%u %g" /app /scratch')).toBe(
      '100000\n0 100000\n172761424 172761424\n0 100000\n',
    );
    expect(await inside('large-ids', 'touch /scratch/f; stat -c "%u %g" /scratch/f')).toBe(
      '100000 100000\n',
    );
  });

  // gVisor ignores set-uid bits unless it is run with -allow-suid (README, "What does not").
  test('a set-uid program stays who it was', async () => {
    await succeeded('set-uid');
    expect(await kubectl('logs', 'set-uid')).toContain('must be suid');
  });

  test('a user namespace of its own is refused in an event', async () => {
    const events = ['get', 'events', '--field-selector=involvedObject.name=user-namespace'];
    await expect
      .poll(() => kubectl(...events), { timeout: 180_000, interval: 1000 })
      .toMatch(/FailedCreatePodSandBox.*user namespace/);
    await kubectl('delete', 'pod', 'user-namespace', '--wait=false');
  });

  test('groups are those of the pod alone where it says so', async () => {
    await ready('new-features');
    expect(await inside('new-features', 'id -G; cat /settings/key')).toBe('0\none');
  });
});

describe('volumes', () => {
  test('subPath: directories of one volume, a file, an expression, a claim', async () => {
    await ready('sub-paths');
    expect(
      await inside('sub-paths', 'cat /etc/passwd; touch /tmp/a /opt/etc/b /own/c /data/d'),
    ).toBe('one');
    expect(await inside('sub-paths', 'ls /tmp /opt/etc /own /data | grep -c "^[abcd]$"')).toBe(
      '4\n',
    );
  });

  test('a container with subPaths starts again after its ConfigMap changed', async () => {
    await kubectl('patch', 'configmap', 'sub-paths', '--patch', '{"data":{"key":"two"}}');
    // An annotation makes the kubelet look at the pod now rather than within its minute.
    await kubectl('annotate', 'pod', 'sub-paths', 'test/looked-at=1');
    await kubectl('exec', 'sub-paths', '--', 'kill', '1');
    await wait('pod/sub-paths', 'jsonpath={.status.containerStatuses[0].restartCount}=1');
    await ready('sub-paths');
    expect(await inside('sub-paths', 'ls /tmp /data | grep -c "^[ad]$"')).toBe('2\n');
    expect(await inside('sub-paths', 'cat /etc/passwd')).toMatch(/^(one|two)$/);
  });

  test('ten pods with subPaths go at once, and leave nothing', async () => {
    const overrides = {
      spec: {
        terminationGracePeriodSeconds: 2,
        containers: [
          {
            name: 'main',
            image: BUSYBOX,
            command: ['sleep', 'infinity'],
            volumeMounts: [
              { name: 'empty', mountPath: '/a', subPath: 'a' },
              { name: 'settings', mountPath: '/etc/key', subPath: 'key' },
            ],
          },
        ],
        volumes: [
          { name: 'empty', emptyDir: {} },
          { name: 'settings', configMap: { name: 'sub-paths' } },
        ],
      },
    };
    const run = `for i in $(seq 10); do kubectl run many-$i --image=${BUSYBOX} --labels=many=1 \
      --overrides='${JSON.stringify(overrides)}' || exit 1; done`;
    await job.must(['sh', '-c', run]);
    await kubectl('wait', 'pod', '--selector=many=1', '--for=condition=Ready', PATIENCE);
    const uids = await kubectl(
      ...['get', 'pods', '--selector=many=1', '--output=jsonpath={.items[*].metadata.uid}'],
    );
    await kubectl('delete', 'pod', '--selector=many=1', PATIENCE);
    const left = `cat /proc/[0-9]*/root/proc/1/comm >/dev/null; for uid in ${uids}; do
      ls -d /proc/[0-9]*/root/var/lib/kubelet/pods/$uid 2>/dev/null; done; true`;
    await expect
      .poll(() => job.must(['sh', '-c', left]), { timeout: 60_000, interval: 2000 })
      .toBe('');
  });

  test('a mount of a pod is seen by another where they ask for it, and goes again', async () => {
    await ready('propagates');
    await inside(
      'propagates',
      'mkdir /shared/m; mount -t tmpfs t /shared/m; echo seen > /shared/m/f',
    );
    expect(await inside('propagates', 'cat /shared/m/f', 'sees')).toBe('seen\n');
    // A plain umount is refused (busy) while another mount namespace has a copy that is in use.
    await inside('propagates', 'umount -l /shared/m');
    expect(await inside('propagates', 'ls /shared/m', 'sees')).toBe('');
  });
});

describe('kubectl', () => {
  test('run -i prints all that a short command said, each time', async () => {
    const script = `for i in $(seq 5); do kubectl run c$i --rm -i --restart=Never --image=${BUSYBOX} \
      -- sh -c 'read word; echo hello $word' <<<world || exit 1; done`;
    const output = await job.must(['bash', '-c', script]);
    expect(output.match(/^hello world$/gm)).toHaveLength(5);
  });

  test("debug --target sees the other container's processes", async () => {
    await ready('ephemeral-storage');
    await kubectl(
      ...['debug', 'ephemeral-storage', '--container=looks', `--image=${BUSYBOX}`],
      ...['--target=main', '--', 'ps', '-o', 'args'],
    );
    const ended = '.status.ephemeralContainerStatuses[0].state.terminated.reason';
    await wait('pod/ephemeral-storage', `jsonpath={${ended}}=Completed`);
    expect(await kubectl('logs', 'ephemeral-storage', '--container=looks')).toContain(
      'sleep infinity',
    );
  });

  test('debug of the node shows its processes and files', async () => {
    const look = 'ps -o args; ls /host/var/lib/kubelet';
    const made = await kubectl(
      ...['debug', `node/${node}`, `--image=${BUSYBOX}`, '--', 'sh', '-c', look],
    );
    const [pod = ''] = /node-debugger-\S+/.exec(made) ?? [];
    await succeeded(pod);
    expect(await kubectl('logs', pod)).toMatch(/k3s server[^]*^pods$/m);
  });

  test('attach -i gives a container what it reads', async () => {
    const script = `kubectl run attached --image=${BUSYBOX} --stdin --attach=false --restart=Never \
      -- sh -c 'read word; echo read $word' >/dev/null
      kubectl wait pod/attached --for=condition=Ready ${PATIENCE} >/dev/null &&
      echo word | kubectl attach -i attached`;
    expect(await job.must(['bash', '-c', script])).toContain('read word\n');
  });
});

test('::1 is localhost', async () => {
  await ready('loopback');
  expect(await inside('loopback', 'curl -sS -m 20 http://localhost:8081/', 'asks')).toBe('six\n');
});
