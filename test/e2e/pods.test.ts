import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { Job, ROOT, WORKSPACE, type StepResult } from './support/job.ts';
import { follow } from './support/follow.ts';

/** For a pod to start, on a machine that runs other tests at the same time. */
const PATIENCE = '--timeout=180s';

let sandbox: Sandbox;
let job: Job;
let main: StepResult;

beforeAll(async () => {
  sandbox = await startClusterSandbox({ images: ['agnhost'] });
  job = await Job.create(sandbox);
  main = await job.mustMain({
    inputs: { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' },
  });
  await sandbox.copyIn(join(ROOT, 'test/e2e/manifests'), '/tmp/manifests');
  await kubectl('apply', '--filename=/tmp/manifests/pods.yaml');
});
afterAll(() => sandbox.stop());

const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args]);
/** A shell command in a container. */
const inside = (pod: string, script: string, container = 'main'): Promise<string> =>
  kubectl('exec', pod, `--container=${container}`, '--', 'sh', '-c', script);
const wait = (what: string, condition: string): Promise<string> =>
  kubectl('wait', what, `--for=${condition}`, PATIENCE);
const field = (what: string, path: string): Promise<string> =>
  kubectl('get', what, `--output=jsonpath={${path}}`);
const STATUS = '.status.containerStatuses[0]';

describe('the action', () => {
  test('tells what was reached and why in the summary and the log', () => {
    expect(job.summary).toMatch(/### k3s v1\.\S+ in gVisor: ready after \d+\.\d\d s, mode full/);
    expect(job.summary).toMatch(/^cluster DNS ready +\d+\.\d\d s {2}│ +█+ +│ \d+\.\d\d s$/m);
    expect(job.summary).toMatch(/\| private-root \| \S+/);
    expect(job.summary).toMatch(/\| namespaces \| no \| .*Operation not permitted/);
    expect(main.log).toMatch(/ \d+\.\d\d s {2}node Ready/);
    expect(main.log).toMatch(/on {2}gateway-network: \S+/);
  });
});

describe('CoreDNS', () => {
  const coredns = (what: string, path: string): Promise<string> =>
    kubectl('--namespace=kube-system', 'get', what, `--output=jsonpath={${path}}`);
  const log = (): Promise<string> => job.must(['cat', `${job.outputs['logs'] ?? ''}/k3s.log`]);

  // k3s's node controller writes this key when a node changes, and waits minutes for it to do so if
  // the node was Ready before the ConfigMap came.
  test('knows the node from the first moment on', async () => {
    const node = job.outputs['node-name'] ?? '';
    const address = await field(`node/${node}`, '.status.addresses[0].address');
    expect(main.log).toMatch(/ \d+\.\d\d s {2}CoreDNS handed over/);
    expect(await coredns('configmap/coredns', '.data.NodeHosts')).toBe(`${address} ${node}\n`);
  });

  test('is taken over by k3s as it is', { timeout: 120_000 }, async () => {
    await expect
      .poll(log, { timeout: 90_000, interval: 500 })
      .toMatch(/Applied manifest at \\"\S+\/coredns\.yaml\\"/);
    expect(await coredns('deployment/coredns', '.metadata.generation')).toBe('1');
    expect(
      await coredns(
        'pods',
        '.items[?(@.metadata.labels.k8s-app=="kube-dns")].status.containerStatuses[0].restartCount',
      ),
    ).toBe('0');
    expect(await coredns('configmap/coredns', '.data.NodeHosts')).toContain(
      job.outputs['node-name'],
    );
  });
});

describe('kubectl', () => {
  beforeAll(() => wait('pod/volumes', 'condition=Ready'));

  test('logs shows what a container printed, and follows it', async () => {
    await using log = follow(job, ['kubectl', 'logs', 'volumes', '--container=main', '--follow']);
    const first = await log.next(/^line (\d+)$/);
    await log.next(new RegExp(`^line ${Number(first[1]) + 2}$`));
    expect(await kubectl('logs', 'volumes', '--container=main')).toMatch(/^line 0\nline 1\n/);
  });

  test('exec runs a command: its output, its error output, its exit code', async () => {
    const script = 'echo out; echo err >&2; exit 7';
    const argv = ['kubectl', 'exec', 'volumes', '--container=main', '--', 'sh', '-c', script];
    expect(await job.exec(argv)).toMatchObject({
      code: 7,
      stdout: 'out\n',
      stderr: expect.stringMatching(/^err\n/) as string,
    });
  });

  test('exec feeds a command what it is given', async () => {
    const pipe = `seq 20000 | kubectl exec --stdin volumes --container=main -- sha256sum`;
    const direct = await job.must(['sh', '-c', 'seq 20000 | sha256sum']);
    expect(await job.must(['sh', '-c', pipe])).toBe(direct);
  });

  test('cp copies into a container and back', async () => {
    const content = randomUUID();
    await job.must(['sh', '-c', `mkdir /tmp/there && echo ${content} > /tmp/there/file`]);
    await kubectl('cp', '/tmp/there', 'volumes:/scratch/copy', '--container=main');
    expect(await inside('volumes', 'cat /scratch/copy/file')).toBe(`${content}\n`);
    await kubectl('cp', 'volumes:/scratch/copy', '/tmp/back', '--container=main');
    expect(await job.must(['cat', '/tmp/back/file'])).toBe(`${content}\n`);
  });

  test('port-forward reaches a Service, again and again', async () => {
    await wait('deployment/web', 'condition=Available');
    await using forward = follow(job, ['kubectl', 'port-forward', 'service/web', ':80']);
    const [, port = ''] = await forward.next(/^Forwarding from 127\.0\.0\.1:(\d+) -> 8080$/);
    for (const word of ['one', 'two', 'three']) {
      const url = `http://127.0.0.1:${port}/echo?msg=${word}`;
      expect(await job.must(['curl', '--silent', '--show-error', '--fail', url])).toBe(word);
    }
  });
});

describe('volumes', () => {
  beforeAll(() => wait('pod/volumes', 'condition=Ready'));

  test('a ConfigMap and a Secret, as files and as environment', async () => {
    expect(await inside('volumes', 'cat /settings/colour; echo " $COLOUR"')).toBe('blue blue\n');
    expect(await inside('volumes', 'cat /credentials/password; echo " $PASSWORD"')).toBe(
      'hunter2 hunter2\n',
    );
    expect(await inside('volumes', 'stat -Lc %a /credentials/password')).toBe('400\n');
  });

  test('a changed ConfigMap reaches the running pod', async () => {
    const patch = '{"data":{"colour":"green"}}';
    await kubectl('patch', 'configmap', 'settings', '--patch', patch);
    // An annotation makes the kubelet look at the pod now rather than within its minute.
    await kubectl('annotate', 'pod', 'volumes', 'test/looked-at=1');
    const until = 'until [ "$(cat /settings/colour)" = green ]; do sleep 0.1; done; echo changed';
    expect(await inside('volumes', `timeout 120 sh -c '${until}'`)).toBe('changed\n');
  });

  test('an emptyDir shared by two containers, on disk and in memory', async () => {
    expect(await inside('volumes', 'cat /scratch/from-neighbour')).toBe('hello\n');
    await inside('volumes', 'echo back > /scratch/reply');
    expect(await inside('volumes', 'cat /scratch/reply', 'neighbour')).toBe('back\n');
    expect(await inside('volumes', 'grep " /memory " /proc/mounts')).toMatch(
      / tmpfs .*size=16384k/,
    );
    const full = await job.exec(
      ['kubectl', 'exec', 'volumes', '--container=main', '--'].concat(
        ...['dd', 'if=/dev/zero', 'of=/memory/large', 'bs=1M', 'count=17'],
      ),
    );
    expect(full.stderr).toContain('No space left on device');
  });

  test('the downward API and a projected volume with a token', async () => {
    const ip = await field('pod/volumes', '.status.podIP');
    expect(await inside('volumes', 'echo $POD_NAME $POD_IP $MEMORY_LIMIT')).toBe(
      `volumes ${ip} ${64 * 1024 * 1024}\n`,
    );
    expect(await inside('volumes', 'cat /all/labels')).toBe('app="volumes"');
    const [, claims = ''] = (await inside('volumes', 'cat /all/token')).split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      aud: ['test'],
      sub: 'system:serviceaccount:default:default',
    });
  });

  test("a hostPath of the workspace is the job's own directory, both ways", async () => {
    await job.must(['sh', '-c', `echo from the job > ${WORKSPACE}/from-job`]);
    expect(await inside('volumes', 'cat /workspace/from-job')).toBe('from the job\n');
    await inside('volumes', 'echo from the pod > /workspace/from-pod');
    expect(await job.must(['cat', `${WORKSPACE}/from-pod`])).toBe('from the pod\n');
  });

  test('a PersistentVolumeClaim is bound, and holds its content for the next pod', async () => {
    await wait('pod/writer', 'jsonpath={.status.phase}=Succeeded');
    expect(await field('pvc/data', '.status.phase')).toBe('Bound');
    await kubectl('delete', 'pod', 'writer');
    await kubectl('apply', '--filename=/tmp/manifests/reader.yaml');
    await wait('pod/reader', 'jsonpath={.status.phase}=Succeeded');
    expect(await kubectl('logs', 'reader')).toBe('kept\n');
  });
});

describe('a container', () => {
  test('whose liveness probe fails is restarted', async () => {
    await wait('pod/liveness', 'condition=Ready');
    expect(await field('pod/liveness', `${STATUS}.restartCount`)).toBe('0');
    await inside('liveness', 'rm /tmp/alive');
    await wait('pod/liveness', `jsonpath={${STATUS}.restartCount}=1`);
    await wait('pod/liveness', 'condition=Ready');
  });

  test('whose readiness probe fails leaves the Service, and comes back', async () => {
    await wait('deployment/web', 'condition=Available');
    const pods = await kubectl('get', 'pods', '--selector=app=web', '--output=name');
    const [gone = '', stays = ''] = pods.trim().split('\n');
    const answering = async (): Promise<string[]> => {
      const ask =
        'for i in $(seq 16); do curl -sS --fail http://web/hostname; echo; done | sort -u';
      const names = (await inside(stays, ask)).trim().split('\n');
      return names.map((name) => `pod/${name}`);
    };
    const endpoint = (ready: boolean, ip: string): Promise<string> =>
      kubectl(
        ...['wait', 'endpointslice', '--selector=kubernetes.io/service-name=web', PATIENCE],
        `--for=jsonpath={.endpoints[?(@.addresses[0]=="${ip}")].conditions.ready}=${String(ready)}`,
      );
    expect((await answering()).sort()).toEqual([gone, stays].sort());

    const ip = await field(gone, '.status.podIP');
    await inside(gone, 'rm /tmp/ready');
    await wait(gone, 'condition=Ready=false');
    await endpoint(false, ip);
    expect(await answering()).toEqual([stays]);

    await inside(gone, 'touch /tmp/ready');
    await wait(gone, 'condition=Ready');
    await endpoint(true, ip);
    expect((await answering()).sort()).toEqual([gone, stays].sort());
  });

  test('that crashes is restarted, ever later', async () => {
    await wait('pod/crashing', `jsonpath={${STATUS}.state.waiting.reason}=CrashLoopBackOff`);
    expect(Number(await field('pod/crashing', `${STATUS}.restartCount`))).toBeGreaterThan(0);
    expect(await field('pod/crashing', `${STATUS}.lastState.terminated.exitCode`)).toBe('3');
    expect(await kubectl('logs', 'crashing', '--previous')).toBe('about to fail\n');
  });

  test('without privileges has none, and files of its group', async () => {
    await wait('pod/restricted', 'jsonpath={.status.phase}=Failed');
    const log = await kubectl('logs', 'restricted');
    expect(log).toContain('uid=1000 gid=3000 groups=2000,3000\n');
    expect(log).toContain('1000:2000\n');
    expect(log).toContain('CapEff:\t0000000000000000\n');
    expect(log).toMatch(/touch: \/file: (Permission denied|Read-only file system)/);
  });

  test('is told to end before it is killed', async () => {
    await wait('pod/graceful', 'condition=Ready');
    await kubectl('delete', 'pod', 'graceful');
    expect(await job.must(['cat', `${WORKSPACE}/farewell`])).toBe('preStop\nTERM\n');
  });

  // gVisor accounts memory per sandbox, not per cgroup: the limit is set, and nobody enforces it. A
  // gVisor that kills this container is good news, and this line the place to say so.
  test('may take more memory than its limit, since gVisor does not enforce it', async () => {
    await wait('pod/greedy', `jsonpath={${STATUS}.state.terminated}`);
    expect(await field('pod/greedy', `${STATUS}.state.terminated.reason`)).toBe('Completed');
  });
});

describe('a pod', () => {
  test('starts its containers in order, beside its sidecar', async () => {
    await wait('pod/ordered', 'jsonpath={.status.phase}=Succeeded');
    expect(await kubectl('logs', 'ordered', '--container=main')).toBe('first\nsidecar\nsecond\n');
  });
});

describe('after hundreds of containers', () => {
  test('a pod starts, though gVisor makes no more session keyrings', async () => {
    const k3s = await job.must(['pgrep', '--exact', '--full', '\\S+/k3s server.*']);
    // keyctl(KEYCTL_JOIN_SESSION_KEYRING), as runc would for each container.
    const program = 'while (syscall(250, 1, 0) >= 0) {} print "$!"';
    const node = ['nsenter', '--target', k3s.trim(), '--all', '--'];
    expect(await job.must([...node, 'perl', '-e', program])).toBe('Disk quota exceeded');
    await kubectl('run', 'late', '--image=registry.k8s.io/e2e-test-images/agnhost:2.56');
    await wait('pod/late', 'condition=Ready');
  });
});

describe('a workload', () => {
  test('a Job completes', async () => {
    await wait('job/sum', 'condition=Complete');
    expect(await field('job/sum', '.status.succeeded')).toBe('3');
    expect(await kubectl('logs', 'job/sum')).toBe('42\n');
  });

  test('a CronJob runs at the minute', async () => {
    await wait('cronjob/tick', 'jsonpath={.status.lastSuccessfulTime}');
  });

  test('a Deployment is rolled over, one pod after the other', async () => {
    await wait('deployment/web', 'condition=Available');
    await kubectl('rollout', 'restart', 'deployment/web');
    await kubectl('rollout', 'status', 'deployment/web', PATIENCE);
    expect(await field('deployment/web', '.status.updatedReplicas')).toBe('2');
  });
});
