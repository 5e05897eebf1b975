import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { Job } from './support/job.ts';

/** For what the cluster's controllers have to do, on a busy machine. */
const PATIENCE = { timeout: 120_000, interval: 500 };

/** Three nodes in one runner: what is different when a pod is on another one. */
describe('with two agents, in profile stock', () => {
  let sandbox: Sandbox;
  let job: Job;
  let nodes: readonly string[];

  const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args]);
  const apply = (...items: object[]): Promise<string> => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    return job.must(['sh', '-c', 'printf %s "$1" | kubectl apply --filename=-', 'sh', list]);
  };
  const serving = (container: object = {}): object => ({
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'agnhost',
        image: 'registry.k8s.io/e2e-test-images/agnhost:2.56',
        args: ['netexec'],
        ...container,
      },
    ],
  });
  const pod = (name: string, nodeName: string, container: object = {}, app = name): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app } },
    spec: { nodeName, ...serving(container) },
  });
  const service = (app: string, nodePort: number, more: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Service',
    // Not the pod's name, which its own /etc/hosts has.
    metadata: { name: nodePort === 0 ? `to-${app}` : `at-${nodePort}` },
    spec: {
      type: 'NodePort',
      selector: { app },
      ports: [{ port: 80, targetPort: 8080, ...(nodePort === 0 ? {} : { nodePort }) }],
      ...more,
    },
  });
  const workload = (kind: string, name: string, spec: object, template: object): object => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      ...spec,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { ...serving(), ...template } },
    },
  });
  /** What the app's pods are on: '', which is the server's, -agent-1 or -agent-2. */
  const placesOf = async (app: string): Promise<string[]> => {
    const path = '--output=jsonpath={range .items[*]}{.spec.nodeName}{"\\n"}{end}';
    const all = await kubectl('get', 'pods', `--selector=app=${app}`, path);
    const names = all.split('\n').filter((name) => name !== '');
    return names.map((name) => name.slice(nodes[0]?.length)).sort();
  };
  /** What the URL answers, seen from the pod; or curl's exit code. */
  const get = async (from: string, url: string): Promise<string> => {
    const script = 'curl --silent --show-error --max-time 5 "$1" || echo "curl $?"';
    return (await kubectl('exec', from, '--', 'sh', '-c', script, 'sh', url)).trim();
  };
  const address = (name: string): Promise<string> =>
    kubectl('get', 'pod', name, '--output=jsonpath={.status.podIP}');

  beforeAll(async () => {
    sandbox = await startClusterSandbox({ profile: 'stock', images: ['agnhost'] });
    job = await Job.create(sandbox);
    const started = await job.main({
      inputs: {
        'k3s-path': K3S_PATH,
        images: `${IMAGES_PATH}/*.tar`,
        mode: 'full',
        agents: '2',
        'node-labels': [
          'server: topology.kubernetes.io/zone=a',
          'agent-1: topology.kubernetes.io/zone=b tier=web',
          'agent-2: topology.kubernetes.io/zone=b',
        ].join('\n'),
      },
    });
    expect(started.code, started.log).toBe(0);
    const list = await kubectl('get', 'nodes', '--output=jsonpath={.items[*].metadata.name}');
    nodes = list.trim().split(' ').sort();
    const [here = '', there = ''] = nodes;
    await apply(pod('here', here), pod('there', there), service('here', 0), service('there', 0));
    await kubectl('wait', 'pod/here', 'pod/there', '--for=condition=Ready', '--timeout=180s');
  });
  afterAll(() => sandbox.stop());

  test('all nodes are Ready, with names and labels of their own', async () => {
    expect(nodes).toEqual(['', '-agent-1', '-agent-2'].map((end) => `${nodes[0]}${end}`));
    const labelled = (selector: string): Promise<string> =>
      kubectl('get', 'nodes', `--selector=${selector}`, '--output=name');
    expect(await labelled('topology.kubernetes.io/zone=a')).toBe(`node/${nodes[0]}\n`);
    expect(await labelled('topology.kubernetes.io/zone=b,tier=web')).toBe(`node/${nodes[1]}\n`);
  });

  test('pods have addresses of their own node, and reach each other in both directions', async () => {
    expect(await address('there')).toMatch(/^10\.42\.1\./);
    expect(await get('here', `http://${await address('there')}:8080/hostname`)).toBe('there');
    expect(await get('there', `http://${await address('here')}:8080/hostname`)).toBe('here');
  });

  test('Services are reached by their names from either node', async () => {
    expect(await get('here', 'http://to-there/hostname')).toBe('there');
    expect(await get('there', 'http://to-here/hostname')).toBe('here');
    expect(await get('there', 'http://to-there/hostname')).toBe('there');
  });

  test('logs and exec reach the other node', async () => {
    expect(await kubectl('logs', 'there')).toContain('8080');
    expect(await kubectl('exec', 'there', '--', 'hostname')).toBe('there\n');
  });

  test('the runner reaches node ports of pods on either node by its 127.0.0.1', async () => {
    for (const name of ['here', 'there']) {
      const path = '--output=jsonpath={.spec.ports[0].nodePort}';
      const port = (await kubectl('get', 'service', `to-${name}`, path)).trim();
      const url = `http://127.0.0.1:${port}/hostname`;
      expect(await job.must(['curl', '--silent', '--show-error', '--max-time', '10', url])).toBe(
        name,
      );
    }
  });

  test('kubectl top has the pods of both nodes', async () => {
    const top = async (): Promise<string> => (await job.exec(['kubectl', 'top', 'pods'])).stdout;
    await expect.poll(top, { timeout: 60_000 }).toMatch(/^here .*\nthere /m);
  });

  test('a policy holds for a pod on the other node, whoever asks', async () => {
    await apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'nobody' },
      spec: {
        podSelector: { matchLabels: { app: 'there' } },
        policyTypes: ['Ingress'],
        ingress: [],
      },
    });
    const url = `http://${await address('there')}:8080/hostname`;
    await expect.poll(() => get('here', url), { timeout: 60_000 }).toBe('curl 28');
    expect(await get('here', 'http://to-there/hostname')).toMatch(/^curl /);
    // But for the node's kubelet, or no pod with a probe would be Ready.
    const readinessProbe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 };
    await apply(pod('probed', nodes[1] ?? '', { readinessProbe }, 'there'));
    await kubectl('wait', 'pod/probed', '--for=condition=Ready', '--timeout=180s');
    await kubectl('delete', 'pod', 'probed');
    await kubectl('delete', 'networkpolicy', 'nobody');
    await expect.poll(() => get('here', url), { timeout: 60_000 }).toBe('there');
  });

  test('node ports answer on every node, or where a pod is if the policy is Local', async () => {
    await apply(
      service('there', 30_080),
      service('there', 30_081, { externalTrafficPolicy: 'Local' }),
    );
    for (const node of ['10.42.0.1', '10.42.1.1', '10.42.2.1']) {
      const hostname = (port: number) => () => get('here', `http://${node}:${port}/hostname`);
      await expect.poll(hostname(30_080), PATIENCE).toBe('there');
      const local = node === '10.42.1.1' ? /^there$/ : /curl 7$/;
      await expect.poll(hostname(30_081), PATIENCE).toMatch(local);
    }
    for (const port of [30_080, 30_081]) {
      const url = `http://127.0.0.1:${port}/hostname`;
      expect(await job.must(['curl', '--silent', '--max-time', '20', url])).toBe('there');
    }
  });

  test('a host port is on the node of its pod, and on no other', async () => {
    const ports = [{ containerPort: 8080, hostPort: 8088 }];
    await apply(pod('hosted', nodes[2] ?? '', { ports }));
    await kubectl('wait', 'pod/hosted', '--for=condition=Ready', '--timeout=180s');
    const at = (node: string) => () => get('here', `http://${node}:8088/hostname`);
    await expect.poll(at('10.42.2.1'), PATIENCE).toBe('hosted');
    expect(await at('10.42.0.1')()).toMatch(/curl 7$/);
    expect(await at('10.42.1.1')()).toMatch(/curl 7$/);
  });

  test('pods are spread over zones, keep to taints, leave a drained node and return', async () => {
    const [, drained = '', tainted = ''] = nodes;
    const spread = {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'spread' } },
    };
    const tolerations = [{ key: 'only', operator: 'Exists' }];
    await kubectl('taint', 'node', tainted, 'only=tolerant:NoSchedule');
    await apply(
      workload('Deployment', 'spread', { replicas: 2 }, { topologySpreadConstraints: [spread] }),
      workload('DaemonSet', 'plain', {}, {}),
      workload('DaemonSet', 'tolerant', {}, { tolerations }),
    );
    for (const name of ['deployment/spread', 'daemonset/plain', 'daemonset/tolerant']) {
      await kubectl('rollout', 'status', name, '--timeout=180s');
    }
    expect(await placesOf('spread')).toEqual(['', '-agent-1']);
    expect(await placesOf('plain')).toEqual(['', '-agent-1']);
    expect(await placesOf('tolerant')).toEqual(['', '-agent-1', '-agent-2']);
    await kubectl('taint', 'node', tainted, 'only-');
    await expect.poll(() => placesOf('plain'), PATIENCE).toContain('-agent-2');

    await kubectl('drain', drained, '--pod-selector=app=spread', '--timeout=180s');
    await expect.poll(() => placesOf('spread'), PATIENCE).toEqual(['', '-agent-2']);
    await kubectl('uncordon', drained);
    await apply(workload('Deployment', 'web', {}, { nodeSelector: { tier: 'web' } }));
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=180s');
    expect(await placesOf('web')).toEqual(['-agent-1']);
    const all = ['deployment/spread', 'deployment/web', 'daemonset/plain', 'daemonset/tolerant'];
    await kubectl('delete', ...all);
  });

  test('agents that were killed come back, as the same nodes with their pods or anew', async () => {
    const [, , deleted = ''] = nodes;
    await kubectl('delete', 'node', deleted, '--ignore-not-found');
    const container = '--output=jsonpath={.status.containerStatuses[0].containerID}';
    const before = await kubectl('get', 'pod', 'there', container);
    await job.must(['pkill', '--signal', 'KILL', '--full', 'k3s agent']);
    const after = (): Promise<string> => kubectl('get', 'pod', 'there', container);
    await expect.poll(after, { timeout: 120_000, interval: 1_000 }).not.toBe(before);
    const answer = (): Promise<string> => get('here', 'http://to-there/hostname');
    await expect.poll(answer, { timeout: 60_000, interval: 1_000 }).toBe('there');
    await kubectl('wait', `node/${nodes[1]}`, '--for=condition=Ready', '--timeout=120s');
    const all = (): Promise<string> => kubectl('get', 'nodes', '--output=name');
    await expect.poll(all, PATIENCE).toBe(nodes.map((name) => `node/${name}\n`).join(''));
    await kubectl('wait', `node/${deleted}`, '--for=condition=Ready', '--timeout=120s');
    await apply(pod('anew', deleted), service('anew', 30_082));
    await kubectl('wait', 'pod/anew', '--for=condition=Ready', '--timeout=180s');
    expect(await address('anew')).toMatch(/^10\.42\.2\./);
    const anew = (): Promise<string> => get('here', 'http://10.42.2.1:30082/hostname');
    await expect.poll(anew, PATIENCE).toBe('anew');
  });

  test('nothing is left after the end', async () => {
    expect((await job.post()).code).toBe(0);
    expect((await job.exec(['pgrep', '--full', 'k3s|containerd|gateway'])).stdout).toBe('');
    const groups = await job.exec(['find', '/sys/fs/cgroup', '-name', 'k3s-in-gvisor-*']);
    expect(groups.stdout).toBe('');
  });
});
