import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestNode, type Pod, type TestNode } from './gateway/test-node.ts';

const web = '10.43.0.10';
const node = '10.42.0.1';

let n: TestNode;
let hostile: Pod;
let other: Pod;
let server: Pod;

beforeAll(async () => {
  n = await startTestNode({
    profile: 'stock',
    sanitize: false,
    dnsUpstreams: (outside) => [outside],
    publish: ['127.0.0.1:6443=127.0.0.1:6443'],
  });
  hostile = await n.addPod('hostile');
  other = await n.addPod('other');
  server = await n.addPod('server');
  await n.serve(server, 'server', [8080]);
  await n.serve('node', 'api', [6443]);
  await n.control(`set tcp ${web}:80 ${server.address}:8080`);
});

afterAll(async () => {
  await n[Symbol.asyncDispose]();
});

/** Datagrams that the other pod has sent to the outside, each from a port of its own. */
let others = 0;

/** The API server's port on the runner's 127.0.0.1, another pod's DNS, and its Services. */
async function othersAreServed() {
  expect(await n.ask('runner', 'tcp', '127.0.0.1', 6443, 3)).toEqual({ 'api 127.0.0.1': 3 });
  expect(await n.ask(other, 'dns', node, 'outside.test')).toMatchObject({ udp: [n.outside] });
  // Of datagrams some may be lost where thousands arrive at once, as in any network.
  others += 3;
  expect(await n.ask(other, 'udp', n.outside, 7, 3)).toHaveProperty('PING');
}

/** While the load lasts, again and again; returns what it came to. */
async function meanwhile(load: Promise<unknown>): Promise<unknown> {
  const state = { over: false };
  const end = load.finally(() => (state.over = true));
  do await othersAreServed();
  while (!state.over);
  return end;
}

test('serves others while a pod makes ten thousand connections, and keeps them', async () => {
  const flood = n.ask(hostile, 'flood', web, 80, 10_000, '/tmp/flood');
  const made = n.run('runner', ['sh', '-c', 'until test -e /tmp/flood.held; do sleep 0.1; done']);
  await meanwhile(made);
  await othersAreServed();
  expect(await n.ask(other, 'tcp', web, 80, 1)).toEqual({ [`server ${node}`]: 1 });
  await n.run('runner', ['touch', '/tmp/flood']);
  const { held, ...outcomes } = (await flood) as { held: number };
  const refused = Object.values(outcomes).reduce((sum: number, many) => sum + Number(many), 0);
  expect(held + refused).toBe(10_000);
  expect(held).toBeGreaterThan(100);
  await expect.poll(async () => (await n.stats())['tcp_active'], { timeout: 60_000 }).toBe(0);
});

test('serves others while a pod sends ten thousand datagrams from as many ports', async () => {
  expect(await meanwhile(n.ask(hostile, 'scatter', n.outside, 7, 10_000))).toBe(10_000);
  // Its own share is a quarter of what there is room for.
  expect((await n.stats())['udp_outside_active']).toBeLessThanOrEqual(16_384 / 4 + others);
});

test('serves others while a pod reads nothing of what it asked for', async () => {
  const greedy = n.ask(hostile, 'greedy', web, 80, '/tmp/greedy');
  await n.run('runner', ['sh', '-c', 'until test -e /tmp/greedy.held; do sleep 0.1; done']);
  await othersAreServed();
  await n.run('runner', ['touch', '/tmp/greedy']);
  await greedy;
});

test('serves others while a pod connects to somebody who never answers', async () => {
  await n.control(`set tcp ${web}:81 10.42.0.200:8080`);
  const flood = n.ask(hostile, 'flood', web, 81, 3000, '/tmp/nobody');
  await meanwhile(
    n.run('runner', ['sh', '-c', 'until test -e /tmp/nobody.held; do sleep 0.1; done']),
  );
  await n.run('runner', ['touch', '/tmp/nobody']);
  await flood;
  // What it leaves in the log is bounded as well.
  expect((await n.gatewayLog()).split('\n').length).toBeLessThan(2000);
});
