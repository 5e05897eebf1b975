import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { follow } from './support/follow.ts';
import { Job } from './support/job.ts';

const AGNHOST = 'registry.k8s.io/e2e-test-images/agnhost:2.56';
const PATIENCE = { timeout: 180_000, interval: 1_000 };
const HOST = 'host.k3s-in-gvisor.internal';

let sandbox: Sandbox;
let job: Job;
let enterNode: readonly string[];

const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args]);
const field = (what: string, path: string): Promise<string> =>
  kubectl('get', ...what.split(' '), `--output=jsonpath={${path}}`);
const apply = (...items: object[]): Promise<string> => {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  return job.must(['sh', '-c', 'printf %s "$1" | kubectl apply --filename=-', 'sh', list]);
};
const put = (path: string, content: string): Promise<string> =>
  job.must([
    ...['sh', '-c', 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"', 'sh'],
    ...[path, content],
  ]);
const inClient = (script: string, ...args: string[]): Promise<string> =>
  kubectl('exec', 'client', '--', 'sh', '-c', script, 'sh', ...args);
/** What the URL answers, or curl's exit code. */
const CURL = 'curl --silent --show-error --max-time 10 "$@" 2>/dev/null || echo "curl $?"';

const pod = (name: string, labels: object, container: object): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: AGNHOST, ...container }],
  },
});

beforeAll(async () => {
  sandbox = await startClusterSandbox({ images: ['agnhost'] });
  job = await Job.create(sandbox);
  await put('/etc/rancher/k3s/config.yaml.d/ci.yaml', 'node-label: [from=config]\n');
  await put(
    '/var/lib/rancher/k3s/server/manifests/mine.yaml',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: mine, namespace: default}, data: {a: b}}\n',
  );
  await job.mustMain({
    inputs: {
      'k3s-path': K3S_PATH,
      images: `${IMAGES_PATH}/*.tar`,
      mode: 'full',
      'k3s-args':
        '--cluster-cidr 10.52.0.0/16 --service-cidr=10.53.0.0/16 --node-name ci "--node-label=folded=yes"',
    },
  });
  const k3s = await job.must(['pgrep', '--exact', '--full', '\\S+/k3s server.*']);
  enterNode = ['nsenter', '--target', k3s.trim(), '--all', '--'];
  await apply(
    pod('client', { app: 'client' }, { args: ['netexec'] }),
    ...['one', 'two'].flatMap((name) => [
      pod(name, { app: name }, { args: ['netexec'] }),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: {
          type: 'LoadBalancer',
          selector: { app: name },
          ports: [
            { name: 'http', port: 80, targetPort: 8080 },
            { name: 'udp', port: 81, targetPort: 8081, protocol: 'UDP' },
          ],
        },
      },
    ]),
  );
  for (const name of ['client', 'one', 'two']) {
    await kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=180s');
  }
});
afterAll(() => sandbox.stop());

describe('flags and files for k3s', () => {
  test('of k3s-args hold, however they were written', async () => {
    expect(await field('node ci', '.metadata.labels.folded')).toBe('yes');
    expect(await field('node ci', '.status.addresses[0].address')).toBe('10.52.0.1');
    expect(await field('service kubernetes', '.spec.clusterIP')).toBe('10.53.0.1');
    expect(await field('pod client', '.status.podIP')).toMatch(/^10\.52\.0\./);
    expect(await inClient(CURL, 'http://two/hostname')).toBe('two');
  });

  test('that were on the runner before hold as well', async () => {
    expect(await field('node ci', '.metadata.labels.from')).toBe('config');
    await expect.poll(() => field('configmap mine', '.data.a'), PATIENCE).toBe('b');
  });
});

describe('load balancers of one port', () => {
  test('have an address each, for pods and for the node, where the API server is', async () => {
    const addresses = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const path = '.status.loadBalancer.ingress[0].ip';
        await expect.poll(() => field(`service ${name}`, path), PATIENCE).toMatch(/^10\.44\.0\./);
        return [name, await field(`service ${name}`, path)] as const;
      }),
    );
    expect(new Set(addresses.map(([, address]) => address)).size).toBe(2);
    for (const [name, address] of addresses) {
      const url = `http://${address}/hostname`;
      expect(await inClient(CURL, url)).toBe(name);
      expect(await job.must([...enterNode, 'sh', '-c', CURL, 'sh', url])).toBe(name);
      const datagram =
        'exec 3<>"/dev/udp/$0/81"; printf hostname >&3; timeout 20 dd bs=1500 count=1 <&3 2>/dev/null';
      expect(await kubectl('exec', 'client', '--', 'bash', '-c', datagram, address)).toBe(name);
    }
  });

  test('share the runner: the older has the port, the other says where else it is', async () => {
    const first = await job.must(['sh', '-c', CURL, 'sh', 'http://127.0.0.1/hostname']);
    expect(['one', 'two']).toContain(first);
    const second = first === 'one' ? 'two' : 'one';
    const messages = (): Promise<string> =>
      kubectl(
        ...['get', 'events', '--output=jsonpath={.items[*].message}'],
        `--field-selector=involvedObject.name=${second},reason=PortConflict`,
      );
    const address = await field(`service ${second}`, '.status.loadBalancer.ingress[0].ip');
    await expect.poll(messages, PATIENCE).toContain(`inside the cluster it is ${address}:80`);
    const port = await field(`service ${second}`, '.spec.ports[0].nodePort');
    expect(await job.must(['sh', '-c', CURL, 'sh', `http://127.0.0.1:${port}/hostname`])).toBe(
      second,
    );
  });
});

describe('the runner, seen from a pod', () => {
  const serve = (host: string, port: number): string =>
    `require('http').createServer((q, r) => r.end('step')).listen(${port}, '${host}', () => console.log('ready'))`;

  test('has a name at which servers of steps answer, and refuse', async () => {
    await using open = follow(job, ['node', '--eval', serve('0.0.0.0', 9092)]);
    await open.next(/^ready$/);
    for (const argv of [
      ['kubectl', 'exec', 'client', '--', 'sh', '-c', CURL, 'sh'],
      [...enterNode, 'sh', '-c', CURL, 'sh'],
    ]) {
      expect(await job.must([...argv, `http://${HOST}:9092/`])).toBe('step');
    }
    await using local = follow(job, ['node', '--eval', serve('127.0.0.1', 9093)]);
    await local.next(/^ready$/);
    // 7: refused; the others: accepted by the gateway, then reset.
    expect((await inClient(CURL, `http://${HOST}:9093/`)).trim()).toMatch(/^curl (7|52|55|56)$/);
  });

  test('keeps its own hosts file as it was', async () => {
    expect(await job.must(['cat', '/etc/hosts'])).not.toContain(HOST);
  });
});

describe('metrics', () => {
  const BUSY = 'while :; do if [ -e /tmp/idle ]; then sleep 1; fi; done';

  beforeAll(async () => {
    await apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'busy' },
        spec: {
          selector: { matchLabels: { app: 'busy' } },
          template: {
            metadata: { labels: { app: 'busy' } },
            spec: {
              terminationGracePeriodSeconds: 0,
              containers: [
                {
                  name: 'main',
                  image: AGNHOST,
                  command: ['sh', '-c', BUSY],
                  resources: { requests: { cpu: '100m' } },
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'busy' },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'busy' },
          minReplicas: 1,
          maxReplicas: 2,
          metrics: [
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
            },
          ],
          behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
        },
      },
    );
  });

  test('are there when the action ends, and for every pod soon after', async () => {
    expect(
      await field(
        'apiservice v1beta1.metrics.k8s.io',
        '.status.conditions[?(@.type=="Available")].status',
      ),
    ).toBe('True');
    const running = await kubectl(
      ...['get', 'pods', '--all-namespaces', '--field-selector=status.phase=Running'],
      '--output=name',
    );
    const top = async (): Promise<string[]> =>
      (await kubectl('top', 'pods', '--all-namespaces', '--no-headers')).trim().split('\n').sort();
    await expect
      .poll(async () => (await top()).length, PATIENCE)
      .toBeGreaterThanOrEqual(running.trim().split('\n').length);
    for (const line of await top()) expect(line).toMatch(/ \d+m +\d+Mi *$/);
    expect(await kubectl('top', 'nodes', '--no-headers')).toMatch(/^ci +\d+m +\d+% +\d+Mi +\d+%/);
  });

  test('tell who is busy, by selector, and use about what they say', async () => {
    const cores = async (app: string): Promise<number> => {
      const { code, stdout } = await job.exec([
        ...['kubectl', 'top', 'pods', `--selector=app=${app}`, '--no-headers'],
      ]);
      return code === 0 ? Number(/ (\d+)m /.exec(stdout)?.[1]) : NaN;
    };
    await expect.poll(() => cores('busy'), PATIENCE).toBeGreaterThan(200);
    expect(await cores('client')).toBeLessThan(100);
  });

  test('are for the API server alone', async () => {
    const url = 'https://10.52.0.1:10241/apis/metrics.k8s.io/v1beta1/pods';
    expect((await inClient(CURL, '--insecure', url)).trim()).toMatch(/^curl (35|52|56)$/);
  });

  test('let an autoscaler add a pod to a busy one, and take it away from idle ones', async () => {
    const replicas = (): Promise<string> => field('deployment busy', '.spec.replicas');
    await expect.poll(replicas, PATIENCE).toBe('2');
    await kubectl('rollout', 'status', 'deployment/busy', '--timeout=120s');
    const names = await kubectl('get', 'pods', '--selector=app=busy', '--output=name');
    for (const name of names.trim().split('\n')) {
      await kubectl('exec', name, '--', 'touch', '/tmp/idle');
    }
    await expect.poll(replicas, PATIENCE).toBe('1');
  });
});
