import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { Job, ROOT } from './support/job.ts';

const PATIENCE = '--timeout=180s';
const OBJECTS = '/tmp/objects';

let sandbox: Sandbox;
let job: Job;
let scratch: string;
/** The server's address, and its Service's. */
let server: string;
let service: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'policy-'));
  sandbox = await startClusterSandbox({ images: ['agnhost'] });
  job = await Job.create(sandbox);
  await job.mustMain({
    inputs: { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' },
  });
  await sandbox.copyIn(join(ROOT, 'test/e2e/manifests'), '/tmp/manifests');
  await kubectl('apply', '--filename=/tmp/manifests/policy.yaml');
  await ready('here', 'server', 'client');
  await ready('there', 'client');
  server = await field('here', 'pod/server', '.status.podIP');
  service = await field('here', 'service/server', '.spec.clusterIP');
});
afterAll(async () => {
  await sandbox.stop();
  await rm(scratch, { recursive: true });
});
beforeEach(() => kubectl('delete', 'networkpolicy', '--all', '--all-namespaces'));

const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args]);
const ready = (namespace: string, ...pods: string[]): Promise<string> =>
  kubectl(
    'wait',
    `-n${namespace}`,
    '--for=condition=Ready',
    PATIENCE,
    ...pods.map((p) => `pod/${p}`),
  );
const field = (namespace: string, what: string, path: string): Promise<string> =>
  kubectl('get', `-n${namespace}`, what, `--output=jsonpath={${path}}`);

async function apply(...items: readonly object[]): Promise<void> {
  await writeFile(join(scratch, 'list'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await sandbox.copyIn(scratch, OBJECTS);
  await kubectl('apply', `--filename=${OBJECTS}/list`);
}

const policy = (spec: object, name = 'policy', namespace = 'here') => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec,
});
/** For here/server, what may come in. */
const ingress = (...rules: readonly object[]) =>
  policy({
    podSelector: { matchLabels: { app: 'server' } },
    policyTypes: ['Ingress'],
    ingress: rules,
  });
const egress = (...rules: readonly object[]) =>
  policy({
    podSelector: { matchLabels: { app: 'client' } },
    policyTypes: ['Egress'],
    egress: rules,
  });
const client = { matchLabels: { app: 'client' } };
const guests = { matchLabels: { team: 'guests' } };
const dns = { ports: [{ protocol: 'UDP', port: 53 }] };

const CONNECT = '/agnhost connect --timeout=3s';
/** What agnhost says to each "PROTOCOL HOST:PORT", in order: `ok`, `TIMEOUT`, `REFUSED`, `DNS`... */
async function probe(from: string, ...targets: readonly string[]): Promise<string[]> {
  const [namespace = '', pod = ''] = from.split('/');
  const each = targets.map((target, index) => {
    const [protocol = '', address = ''] = target.split(' ');
    const say = `echo "${index} $(${CONNECT} --protocol=${protocol} ${address} 2>&1 || echo failed)"`;
    return `${say} &`;
  });
  const said = await kubectl(
    'exec',
    `-n${namespace}`,
    pod,
    '-cmain',
    '--',
    'sh',
    '-c',
    `${each.join(' ')} wait`,
  );
  const lines = said.split('\n');
  return targets.map((_, index) => {
    const line = lines.find((text) => text.startsWith(`${index} `)) ?? '';
    return line === `${index} ` ? 'ok' : (/[A-Z]+/.exec(line)?.[0] ?? line);
  });
}
/** Everything that leads to the server's main container. */
const everyWay = () => [
  `tcp ${server}:8080`,
  `udp ${server}:8080`,
  `tcp ${service}:80`,
  `udp ${service}:80`,
];
const all = (outcome: string) => Array<string>(4).fill(outcome);

describe('ingress', () => {
  test('without policies everybody gets in', async () => {
    expect(await probe('here/client', ...everyWay())).toEqual(all('ok'));
    expect(await probe('there/client', ...everyWay())).toEqual(all('ok'));
  });

  test('default deny keeps out all but the node: its probes, and runner steps', async () => {
    await apply(policy({ podSelector: {}, policyTypes: ['Ingress'] }));
    expect(await probe('here/client', ...everyWay())).toEqual(all('TIMEOUT'));
    expect(await probe('there/client', ...everyWay())).toEqual(all('TIMEOUT'));
    await delay(3000);
    expect(await field('here', 'pod/server', '.status.containerStatuses[0].ready')).toBe('true');
    const page = [
      'curl',
      '--silent',
      '--fail',
      '--max-time',
      '5',
      'http://127.0.0.1:30080/hostname',
    ];
    expect(await job.must(page)).toBe('server');
    // Answers to what the isolated pod itself asked.
    expect(
      await probe('here/server', `tcp ${await field('there', 'pod/client', '.status.podIP')}:8080`),
    ).toEqual(['ok']);
  });

  test('from pods of the namespace', async () => {
    await apply(ingress({ from: [{ podSelector: client }] }));
    expect(await probe('here/client', ...everyWay())).toEqual(all('ok'));
    expect(await probe('there/client', ...everyWay())).toEqual(all('TIMEOUT'));
  });

  test('from namespaces, and from neither when a selector changes', async () => {
    await apply(ingress({ from: [{ namespaceSelector: guests, podSelector: client }] }));
    expect(await probe('here/client', ...everyWay())).toEqual(all('TIMEOUT'));
    expect(await probe('there/client', ...everyWay())).toEqual(all('ok'));
    await kubectl('label', 'namespace', 'there', 'team=others', '--overwrite');
    await delay(1000);
    expect(await probe('there/client', ...everyWay())).toEqual(all('TIMEOUT'));
    await kubectl('label', 'namespace', 'there', 'team=guests', '--overwrite');
  });

  test('from a block, except a part of it', async () => {
    const address = await field('there', 'pod/client', '.status.podIP');
    const ipBlock = { cidr: '10.42.0.0/16', except: [`${address}/32`] };
    await apply(ingress({ from: [{ ipBlock }] }));
    expect(await probe('here/client', ...everyWay())).toEqual(all('ok'));
    expect(await probe('there/client', ...everyWay())).toEqual(all('TIMEOUT'));
  });

  test('to ports: by number, as a range, by name', async () => {
    const ports = () =>
      probe(
        'here/client',
        ...['8080', '8081', '8090'].map((port) => `tcp ${server}:${port}`),
        `tcp ${service}:81`,
        `udp ${server}:8080`,
      );
    const [yes, no] = ['ok', 'TIMEOUT'];
    await apply(ingress({ ports: [{ port: 8081 }] }));
    expect(await ports()).toEqual([no, yes, no, yes, no]);
    await apply(ingress({ ports: [{ port: 8080, endPort: 8081 }] }));
    expect(await ports()).toEqual([yes, yes, no, yes, no]);
    await apply(ingress({ ports: [{ port: 'http' }] }));
    expect(await ports()).toEqual([yes, no, no, no, no]);
    await apply(ingress({ ports: [{ port: 'udp', protocol: 'UDP' }] }));
    expect(await ports()).toEqual([no, no, no, no, yes]);
  });

  test('changes hold within a second, and so does the end of a policy', async () => {
    for (const [rules, outcome] of [
      [[], 'TIMEOUT'],
      [[{ from: [{ podSelector: client }] }], 'ok'],
      [[], 'TIMEOUT'],
    ] as const) {
      await apply(ingress(...rules));
      await delay(1000);
      expect(await probe('here/client', ...everyWay())).toEqual(all(outcome));
    }
    await kubectl('delete', '-nhere', 'networkpolicy', 'policy');
    await delay(1000);
    expect(await probe('here/client', ...everyWay())).toEqual(all('ok'));
  });
});

describe('egress', () => {
  const name = 'tcp server.here.svc.cluster.local:80';

  test('default deny, and DNS alone', async () => {
    await apply(egress());
    expect(await probe('here/client', ...everyWay(), name)).toEqual([...all('TIMEOUT'), 'DNS']);
    expect(await probe('there/client', ...everyWay(), name)).toEqual([...all('ok'), 'ok']);
    await apply(egress({ to: [{ namespaceSelector: {} }], ...dns }));
    expect(await probe('here/client', ...everyWay(), name)).toEqual([...all('TIMEOUT'), 'TIMEOUT']);
    await apply(
      egress(
        { to: [{ namespaceSelector: {} }], ...dns },
        { to: [{ podSelector: { matchLabels: { app: 'server' } } }] },
      ),
    );
    expect(await probe('here/client', ...everyWay(), name)).toEqual([...all('ok'), 'ok']);
  });

  test('to the outside: forbidden, and allowed by a block', async () => {
    const outside = `tcp ${sandbox.addresses.host}:80`;
    await apply(egress({ to: [{ namespaceSelector: {} }] }));
    expect(await probe('here/client', outside, ...everyWay())).toEqual(['TIMEOUT', ...all('ok')]);
    expect(await probe('there/client', outside)).toEqual(['ok']);
    await apply(egress({ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.42.0.0/16'] } }] }));
    expect(await probe('here/client', outside, ...everyWay())).toEqual(['ok', ...all('TIMEOUT')]);
  });
});

describe('over time', () => {
  /** Runs a pod whose first act is to connect; the code it ends with. */
  async function firstAct(name: string, app: string): Promise<string> {
    const script = `for i in 1 2 3 4 5; do ${CONNECT.replace('3s', '500ms')} ${server}:8080 && exit 0; done; exit 9`;
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'here', labels: { app } },
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'main',
            image: 'registry.k8s.io/e2e-test-images/agnhost:2.56',
            command: ['sh', '-c', script],
          },
        ],
      },
    });
    const ended = '.status.containerStatuses[0].state.terminated.exitCode';
    await kubectl('wait', '-nhere', `pod/${name}`, `--for=jsonpath={${ended}}`, PATIENCE);
    return field('here', `pod/${name}`, ended);
  }

  test("holds from a pod's first packet on, both ways", async () => {
    await apply(ingress({ from: [{ podSelector: client }] }));
    expect(await firstAct('friend', 'client')).toBe('0');
    expect(await firstAct('stranger', 'stranger')).toBe('9');
    const all = { podSelector: {}, policyTypes: ['Egress'] };
    await apply(ingress({ from: [{ podSelector: client }] }), policy(all, 'nothing-out'));
    expect(await firstAct('prisoner', 'client')).toBe('9');
  });

  test('holds for a pod made anew, at another address', async () => {
    await apply(ingress({ from: [{ podSelector: client }] }));
    await kubectl('delete', '-nhere', 'pod/server', PATIENCE);
    await kubectl('apply', '--filename=/tmp/manifests/policy.yaml');
    await ready('here', 'server');
    const before = server;
    server = await field('here', 'pod/server', '.status.podIP');
    expect(server).not.toBe(before);
    expect(await probe('here/client', ...everyWay())).toEqual(all('ok'));
    expect(await probe('there/client', ...everyWay())).toEqual(all('TIMEOUT'));
  });

  test('holds when the gateway and the controller are started again', async () => {
    await apply(ingress({ from: [{ podSelector: client }] }));
    await job.must(['pkill', '--signal=KILL', '--exact', 'gateway']);
    await job.must(['pkill', '--signal=KILL', '--full', 'dist/controller/index.js']);
    expect(await probe('there/client', ...everyWay())).toEqual(all('TIMEOUT'));
    await expect
      .poll(() => probe('here/client', ...everyWay()), { timeout: 60_000 })
      .toEqual(all('ok'));
    expect(await probe('there/client', ...everyWay())).toEqual(all('TIMEOUT'));
  });
});
