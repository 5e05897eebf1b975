import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startTestNode, type Pod, type TestNode } from './gateway/test-node.ts';

const node = '10.42.0.1';
/** As many as the gateway takes: a question that nobody answers is with each for a second and a half. */
const ports = [5301, 5302, 5303, 5304, 5305, 5306, 5307, 5308];

describe.each([
  { profile: 'stock', sanitize: false },
  { profile: 'native', sanitize: true },
] as const)('DNS in $profile, sanitizers: $sanitize', ({ profile, sanitize }) => {
  let n: TestNode;
  let client: Pod;
  let hostile: Pod;

  beforeAll(async () => {
    n = await startTestNode({
      profile,
      sanitize,
      dnsUpstreams: () => ports.map((port) => `127.0.0.1:${port}`),
    });
    client = await n.addPod('client');
    hostile = await n.addPod('hostile');
    await n.start('runner', 'resolver', ...ports);
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
});
