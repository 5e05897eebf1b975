import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startTestNode, type Pod, type TestNode } from './gateway/test-node.ts';

const node = '10.42.0.1';
/** As many as the gateway takes: a question that nobody answers is with each for a second and a half. */
const ports = [5301, 5302, 5303, 5304, 5305, 5306, 5307, 5308];

const authorization = 'Basic bWU6cGE1NXdvcmQ=';

describe.each([
  { profile: 'stock', sanitize: false },
  { profile: 'native', sanitize: true },
] as const)('the outside in $profile, sanitizers: $sanitize', ({ profile, sanitize }) => {
  let n: TestNode;
  let client: Pod;
  let hostile: Pod;

  beforeAll(async () => {
    n = await startTestNode({
      profile,
      sanitize,
      dnsUpstreams: () => ports.map((port) => `127.0.0.1:${port}`),
      proxy: { endpoint: '127.0.0.1:3128', authorization },
    });
    client = await n.addPod('client');
    hostile = await n.addPod('hostile');
    await n.start('runner', 'resolver', ...ports);
    await n.serve('runner', 'far', [7443]);
    await n.start('runner', 'proxy', 3128, 7443, authorization);
  });

  afterAll(async () => {
    const log = await n.gatewayLog();
    await n[Symbol.asyncDispose]();
    expect(log).not.toMatch(/Sanitizer|runtime error/);
  });

  test('asks by a port for some questions only', async () => {
    const answers = await n.ask(client, 'questions', node, 'some.test', 200);
    // An answer tells how many ports there were: 64 questions each.
    expect(Object.keys(answers as object).length).toBeGreaterThanOrEqual(3);
  });

  test('keeps a pod that nobody answers to its share, and answers others', async () => {
    await n.ask(hostile, 'swarm', node, 'silent.test', 3000);
    const { dns_active: waiting = 0, dns_failed: told = 0 } = await n.stats();
    // A quarter of 4096; the others were told at once.
    expect(waiting).toBeLessThanOrEqual(1024);
    expect(waiting + told).toBeGreaterThan(1024);
    const answers = await n.ask(client, 'questions', node, 'some.test', 20);
    for (const answer of Object.keys(answers as object)) expect(answer).toMatch(/^10\.0\.0\.\d+$/);
    // And in the end it is told as well, and nothing is held.
    await expect.poll(async () => (await n.stats())['dns_active'], { timeout: 120_000 }).toBe(0);
  });

  test("leaves the runner's proxy alone where there is another way", async () => {
    const fetched = await n.run(client, ['curl', '-sS', '-m', '20', `http://${n.outside}/path`]);
    expect(JSON.parse(fetched)).toMatchObject({ path: '/path' });
    expect((await n.stats())['tcp_proxied']).toBe(0);
  });

  test("leads TCP by the runner's proxy where there is no other way", async () => {
    const { tcp_proxied: before = 0 } = await n.stats();
    // Nobody listens on that port there.
    expect(await n.ask(client, 'tcp', n.outside, 8443, 3)).toEqual({ 'far 127.0.0.1': 3 });
    expect((await n.stats())['tcp_proxied']).toBe(before + 3);
    const whole = { got: 3_000_000, same: true };
    expect(await n.ask(client, 'bulk', n.outside, 8443, whole.got)).toEqual(whole);
    expect(await n.ask(client, 'tcp', n.outside, 9, 1)).toEqual({ ECONNRESET: 1 });
    const log = await n.gatewayLog();
    expect(log).toMatch(/Outside: the runner's proxy is tried first from now on/);
    expect(log).not.toContain(authorization.split(' ')[1]);
  });

  // Linux's raw sockets are not shown what is on its way to others, and its nodes forward.
  if (profile === 'stock') {
    test('echoes pods from the node and each other, and by the gateway from outside', async () => {
      const ping = async (from: Pod, address: string, count: number) =>
        Number(await n.run(from, ['/programs/test/gateway/ping_tool', address, String(count)]));
      expect(await ping(client, hostile.address, 3)).toBe(3);
      expect(await ping(client, node, 3)).toBe(3);
      // A Service is not there but by its ports, as with kube-proxy.
      expect(await ping(client, '10.43.0.10', 1)).toBe(0);
      const { echo_requests: before = 0 } = await n.stats();
      expect(await ping(client, n.outside, 5)).toBe(5);
      // Once each, though the bridge is shown them, too.
      expect(await n.stats()).toMatchObject({
        echo_requests: before + 5,
        echo_answers: before + 5,
      });
      // While a pod is isolated, nobody is believed to be who they say.
      await n.control('begin', `set egress a/other ${n.outside}/32`, 'end');
      const isolated = await n.addPod('other', 'a');
      expect(await ping(isolated, n.outside, 1)).toBe(0);
      expect(await ping(client, n.outside, 1)).toBe(0);
      await n.control('begin', 'end');
      expect(await ping(client, n.outside, 5)).toBe(5);
      await n.removePod(isolated);
    });
  }
});
