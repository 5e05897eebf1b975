import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startTestNode, type Pod, type TestNode } from './gateway/test-node.ts';

const web = '10.43.0.10';
const node = '10.42.0.1';
/** Another node's, whom the last pod to come stands for. */
const far = '10.42.0.6';

describe.each([
  { profile: 'stock', sanitize: false },
  { profile: 'native', sanitize: true },
] as const)('gateway in $profile, sanitizers: $sanitize', ({ profile, sanitize }) => {
  let n: TestNode;
  let client: Pod;
  let servers: [Pod, Pod, Pod];
  let other: Pod;
  /** What was said of its port before it came. */
  let early: string[];
  const endpoints = (...pods: readonly Pod[]) =>
    pods.map(({ address }) => `${address}:8080`).join(' ');

  beforeAll(async () => {
    n = await startTestNode({
      profile,
      sanitize,
      // The first refuses, so that every question also shows that the next is asked.
      dnsUpstreams: (outside) => ['127.0.0.1:1', outside],
      publish: ['127.0.0.1:6443=127.0.0.1:6443'],
      borrow: ['127.0.0.1:5000=127.0.0.1:5000'],
      nodes: { [far]: 'far' },
    });
    client = await n.addPod('client');
    servers = [await n.addPod('a'), await n.addPod('b'), await n.addPod('c')];
    for (const pod of servers) await n.serve(pod, pod.name, [8080]);
    early = await n.control(`set tcp ${far}:30083 ${endpoints(servers[0])}`);
    // Every node's link is called so.
    other = await n.addPod('far', undefined, 'node0');
    await n.serve('node', 'api', [6443]);
    await n.start(servers[0], 'early', 8413);
  });

  afterAll(async () => {
    const log = await n.gatewayLog();
    await n[Symbol.asyncDispose]();
    // What the sanitizers have to say, they say there.
    expect(log).not.toMatch(/Sanitizer|runtime error/);
  });

  test('spreads TCP to a Service evenly, from pods and from the node', async () => {
    expect(await n.control(`set tcp ${web}:80 ${endpoints(...servers)}`)).toEqual(['ok']);
    const even = { [`a ${node}`]: 10, [`b ${node}`]: 10, [`c ${node}`]: 10 };
    expect(await n.ask(client, 'tcp', web, 80, 30)).toEqual(even);
    expect(await n.ask('node', 'tcp', web, 80, 30)).toEqual(even);
    expect(await n.ask(servers[0], 'tcp', web, 80, 30)).toEqual(even);
  });

  test('keeps a client on its endpoint with affinity', async () => {
    await n.control(`set tcp ${web}:81 affinity=60 ${endpoints(...servers)}`);
    const replies = await n.ask(client, 'tcp', web, 81, 12);
    expect(Object.values(replies as object)).toEqual([12]);
  });

  test('passes over endpoints that are not there', async () => {
    await n.control(
      `set tcp ${web}:82 10.42.0.200:8080 ${client.address}:8080 ${endpoints(servers[1])}`,
    );
    expect(await n.ask(client, 'tcp', web, 82, 1)).toEqual({ [`b ${node}`]: 1 });
    expect((await n.stats())['tcp_retried']).toBeGreaterThanOrEqual(2);
  });

  test('refuses a Service without endpoints, from pods and from the node', async () => {
    await n.control(`set tcp ${web}:83`, `set tcp ${web}:88 ${endpoints(servers[0])}`);
    const refused = { ECONNREFUSED: 3 };
    expect(await n.ask(client, 'tcp', web, 83, 3)).toEqual(refused);
    expect(await n.ask('node', 'tcp', web, 83, 3)).toEqual(refused);
    // Whoever is connected notices nothing of the rules.
    const held = n.ask(client, 'hold', web, 88, '/tmp/refused');
    await expect.poll(async () => (await n.stats())['tcp_active'], { timeout: 20_000 }).toBe(1);
    await n.control(`set tcp ${web}:83 ${endpoints(servers[1])}`, `set tcp ${web}:88`);
    expect(await n.ask(client, 'tcp', web, 83, 1)).toEqual({ [`b ${node}`]: 1 });
    expect(await n.ask(client, 'tcp', web, 88, 3)).toEqual(refused);
    await n.run('runner', ['touch', '/tmp/refused']);
    expect(await held).toEqual({ before: `a ${node}`, after: `a ${node}` });
    await n.control(`del tcp ${web}:83`, `del tcp ${web}:88`);
    expect(await n.ask(client, 'tcp', web, 88, 1)).toEqual({ ECONNRESET: 1 });
  });

  test('goes on when there are more Services without endpoints than rules', async () => {
    const all = Array.from({ length: 100 }, (_, i) => `tcp 10.43.1.1:${1000 + i}`);
    await n.control(...all.map((key) => `set ${key}`));
    expect(await n.ask(client, 'tcp', '10.43.1.1', 1000, 1)).toEqual({ ECONNREFUSED: 1 });
    expect(await n.ask(client, 'tcp', '10.43.1.1', 1099, 1)).toEqual({ ECONNRESET: 1 });
    expect(await n.ask(client, 'tcp', web, 80, 3)).toEqual({
      [`a ${node}`]: 1,
      [`b ${node}`]: 1,
      [`c ${node}`]: 1,
    });
    await n.control(...all.map((key) => `del ${key}`));
  });

  test('resets what leads nowhere', async () => {
    await n.control(`set tcp ${web}:84 ${client.address}:8080`);
    const resets = { ECONNRESET: 3 };
    // With an endpoint that refuses; unknown; the gateway's own port.
    for (const [address, port] of [
      [web, 84],
      ['10.43.0.99', 80],
      [node, 15999],
    ] as const) {
      expect(await n.ask(client, 'tcp', address, port, 3)).toEqual(resets);
    }
  });

  test('carries bytes unchanged both ways, half-closed, with back-pressure', async () => {
    const size = 48_000_000;
    expect(await n.ask(client, 'bulk', web, 80, size)).toEqual({ got: size, same: true });
    expect(await n.ask('node', 'bulk', web, 80, size)).toEqual({ got: size, same: true });
  });

  test('holds a thousand connections at once', async () => {
    const replies = (await n.ask(client, 'crowd', web, 80, 1000)) as Record<string, number>;
    expect(Object.keys(replies).sort()).toEqual([`a ${node}`, `b ${node}`, `c ${node}`]);
    expect(Object.values(replies).reduce((sum, count) => sum + count, 0)).toBe(2000);
    await expect.poll(async () => (await n.stats())['tcp_active'], { timeout: 20_000 }).toBe(0);
  });

  test('delivers what a server said before it reset, as often as the network does', async () => {
    await n.control(`set tcp ${web}:85 ${servers[0].address}:8413`);
    /** How many of 25 uploads of 20 MB get their 413. */
    const answered = async (url: string) => {
      const upload = `curl -s -m 20 -o /dev/null -w '%{http_code}\n' -H Expect: --data-binary @/tmp/upload ${url}`;
      const script = `test -e /tmp/upload || head -c 20000000 /dev/zero >/tmp/upload
        for i in $(seq 25); do ${upload}; done`;
      const codes = (await n.run(client, ['sh', '-c', `${script}; true`])).split('\n');
      return codes.filter((code) => code === '413').length;
    };
    const direct = await answered(`http://${servers[0].address}:8413/`);
    // Without a relay as well, some clients fail to send before they look whether they were answered.
    expect(await answered(`http://${web}:85/`)).toBeGreaterThanOrEqual(direct - 2);
  });

  test('reaches the outside over TCP', async () => {
    const fetched = await n.run(client, ['curl', '-sS', '-m', '20', `http://${n.outside}/x`]);
    expect(fetched).toContain('"path":"/x"');
    expect(await n.run('node', ['curl', '-sS', '-m', '20', `http://${n.outside}/y`])).toContain(
      '"path":"/y"',
    );
    expect(await n.ask(client, 'tcp', n.outside, 1, 1)).toEqual({ ECONNRESET: 1 });
  });

  test('reaches the outside over UDP, from pods', async () => {
    const before = await n.stats();
    expect(await n.ask(client, 'udp', n.outside, 7, 12)).toEqual({ PING: 12 });
    expect(await n.ask(servers[0], 'udp', n.outside, 7, 1)).toEqual({ PING: 1 });
    await n.run('runner', ['touch', '/tmp/outside']);
    const flow = await n.ask(client, 'flow', n.outside, 7, '/tmp/outside');
    expect(flow).toEqual(['PING', 'PING', 'PING']);
    const after = await n.stats();
    expect(after['udp_flows']).toBe((before['udp_flows'] ?? 0) + 14);
    expect(after['udp_lost']).toBe(before['udp_lost']);
    // Nobody there; an unknown Service; neither is answered, and neither does harm.
    for (const [address, port] of [
      [n.outside, 9],
      ['10.43.0.99', 7],
    ] as const) {
      expect(await n.ask(client, 'udp', address, port, 1)).toEqual({ ABORT_ERR: 1 });
    }
    expect(await n.ask(client, 'udp', n.outside, 7, 1)).toEqual({ PING: 1 });
  });

  test('reaches the outside over UDP, from the node', async () => {
    expect(await n.ask('node', 'udp', n.outside, 7, 12)).toEqual({ PING: 12 });
    expect(await n.ask('node', 'udp', n.outside, 9, 1)).toEqual({ ABORT_ERR: 1 });
    expect(await n.ask('node', 'udp', '10.43.0.99', 7, 1)).toEqual({ ABORT_ERR: 1 });
  });

  test('takes datagrams of any size to the outside where a raw socket is shown them', async () => {
    expect(await n.ask(client, 'big', n.outside, 7, 8000)).toBe(8000);
    const shown = profile === 'stock' ? 40_000 : 'ABORT_ERR';
    expect(await n.ask(client, 'big', n.outside, 7, 40_000)).toBe(shown);
  });

  test('loses nothing over UDP to the outside while streams go by', async () => {
    const streams = servers.map((pod) => n.ask(pod, 'bulk', web, 80, 48_000_000));
    const replies = (await n.ask(client, 'udp', n.outside, 7, 200)) as { PING: number };
    // Linux shows raw sockets nothing of others, and gives packet sockets no larger buffer here.
    expect(replies.PING).toBeGreaterThanOrEqual(profile === 'native' ? 190 : 200);
    await Promise.all(streams);
    expect(await n.ask(client, 'udp', n.outside, 7, 1)).toEqual({ PING: 1 });
  });

  test("answers DNS by the runner's resolvers, over UDP and TCP", async () => {
    const found = { udp: [n.outside], tcp: { id: 0x1234, code: 0, answers: 1 } };
    expect(await n.ask(client, 'dns', node, 'outside.test')).toEqual(found);
    expect(await n.ask('node', 'dns', node, 'outside.test')).toEqual(found);
    const missing = { udp: 'ENOTFOUND', tcp: { id: 0x1234, code: 3, answers: 0 } };
    expect(await n.ask(client, 'dns', node, 'nowhere.example')).toEqual(missing);
  });

  test('relays UDP Services from pods and the node, and answers from their address', async () => {
    await n.control(`set udp ${web}:53 ${endpoints(...servers)}`);
    const even = { [`a ${node}`]: 4, [`b ${node}`]: 4, [`c ${node}`]: 4 };
    // The client's sockets are connected: an answer from elsewhere would not arrive.
    expect(await n.ask(client, 'udp', web, 53, 12)).toEqual(even);
    expect(await n.ask('node', 'udp', web, 53, 12)).toEqual(even);
    expect(await n.ask(servers[2], 'udp', web, 53, 12)).toEqual(even);
  });

  test('drops UDP flows to an endpoint that went, and refuses when none is left', async () => {
    await n.control(`set udp ${web}:54 ${endpoints(servers[0])}`);
    const before = (await n.stats())['udp_datagrams'] ?? 0;
    const flow = n.ask(client, 'flow', web, 54, '/tmp/changed');
    await expect
      .poll(async () => (await n.stats())['udp_datagrams'], { timeout: 20_000 })
      .toBe(before + 4);
    await n.control(`set udp ${web}:54 ${endpoints(...servers)}`);
    await n.control(`set udp ${web}:54 ${endpoints(servers[1])}`);
    await n.run('runner', ['touch', '/tmp/changed']);
    expect(await flow).toEqual([`a ${node}`, `a ${node}`, `b ${node}`]);
    await n.control(`set udp ${web}:54`);
    expect(await n.ask(client, 'udp', web, 54, 1)).toEqual({ ECONNREFUSED: 1 });
    await n.control(`set udp ${web}:54 ${endpoints(servers[1])}`);
    expect(await n.ask(client, 'udp', web, 54, 1)).toEqual({ [`b ${node}`]: 1 });
  });

  test("serves node ports on the runner's loopback, the node and to pods", async () => {
    const lines = ['tcp', 'udp'].map(
      (protocol) => `set ${protocol} *:30080 ${endpoints(servers[0])}`,
    );
    expect(await n.control(...lines)).toEqual(['ok', 'ok']);
    const reply = { [`a ${node}`]: 2 };
    for (const protocol of ['tcp', 'udp']) {
      expect(await n.ask('runner', protocol, '127.0.0.1', 30080, 2)).toEqual(reply);
      expect(await n.ask('node', protocol, '127.0.0.1', 30080, 2)).toEqual(reply);
      expect(await n.ask('node', protocol, node, 30080, 2)).toEqual(reply);
      expect(await n.ask(client, protocol, node, 30080, 2)).toEqual(reply);
      expect(await n.ask('node', protocol, node, 30080, 2)).toEqual(reply);
    }
    expect(await n.control('set tcp *:30080')).toEqual(['ok']);
    expect(await n.ask('runner', 'tcp', '127.0.0.1', 30080, 1)).toEqual({ ECONNREFUSED: 1 });
  });

  test('serves a host port of 127.0.0.1 there only', async () => {
    const before = await n.ask('node', 'addresses');
    for (const protocol of ['tcp', 'udp']) {
      await n.control(`set ${protocol} 127.0.0.1:30082 ${endpoints(servers[0])}`);
      for (const place of ['runner', 'node'] as const) {
        expect(await n.ask(place, protocol, '127.0.0.1', 30082, 2)).toEqual({ [`a ${node}`]: 2 });
      }
      expect(await n.ask(client, protocol, node, 30082, 1)).toEqual({ ECONNREFUSED: 1 });
    }
    expect(await n.ask('node', 'addresses')).toEqual(before);
  });

  test("serves another node's ports on its address, from when it comes", async () => {
    expect(early).toEqual([
      expect.stringMatching(/^error ENOENT Failed to listen on 10\.42\.0\.6:30083: /),
    ]);
    expect(other.address).toBe(far);
    await expect
      .poll(() => n.ask(client, 'tcp', far, 30083, 1), { timeout: 60_000 })
      .toEqual({ [`a ${node}`]: 1 });
    for (const protocol of ['udp', 'tcp']) {
      expect(await n.control(`set ${protocol} ${far}:30083 ${endpoints(servers[0])}`)).toEqual([
        'ok',
      ]);
      // For UDP not itself, after which gVisor ties a socket of its address to the loopback.
      for (const place of protocol === 'udp' ? ([client, 'node'] as const) : [client, other]) {
        expect(await n.ask(place, protocol, far, 30083, 2)).toEqual({ [`a ${node}`]: 2 });
      }
      expect(await n.ask(client, protocol, node, 30083, 1)).toEqual({ ECONNREFUSED: 1 });
    }
    expect(await n.control(`set tcp ${far}:30083`)).toEqual(['ok']);
    expect(await n.ask(client, 'tcp', far, 30083, 1)).toEqual({ ECONNREFUSED: 1 });
  });

  test('says that a port of the runner is taken, and serves it inside', async () => {
    await n.serve('runner', 'other', [30081]);
    expect(await n.control(`set tcp *:30081 ${endpoints(servers[1])}`)).toEqual([
      expect.stringMatching(
        /^error EADDRINUSE Failed to listen on 127\.0\.0\.1:30081 of the runner: /,
      ),
    ]);
    expect(await n.ask(client, 'tcp', node, 30081, 1)).toEqual({ [`b ${node}`]: 1 });
    expect(await n.ask('runner', 'tcp', '127.0.0.1', 30081, 1)).toEqual({ 'other 127.0.0.1': 1 });
  });

  test('publishes the API server to the runner', async () => {
    expect(await n.ask('runner', 'tcp', '127.0.0.1', 6443, 3)).toEqual({ 'api 127.0.0.1': 3 });
  });

  test("leads a port of the node's loopback to the runner's", async () => {
    expect(await n.ask('node', 'tcp', '127.0.0.1', 5000, 1)).toEqual({ ECONNRESET: 1 });
    await n.serve('runner', 'registry', [5000]);
    expect(await n.ask('node', 'tcp', '127.0.0.1', 5000, 3)).toEqual({ 'registry 127.0.0.1': 3 });
    expect(await n.ask(client, 'tcp', '127.0.0.1', 5000, 1)).toEqual({ ECONNREFUSED: 1 });
    expect(await n.ask(client, 'tcp', node, 5000, 1)).toEqual({ ECONNREFUSED: 1 });
  });

  test('lets connections to a removed endpoint go on', async () => {
    await n.control(`set tcp ${web}:85 ${endpoints(servers[0])}`);
    const held = n.ask(client, 'hold', web, 85, '/tmp/go');
    await expect.poll(async () => (await n.stats())['tcp_active'], { timeout: 20_000 }).toBe(1);
    await n.control(`set tcp ${web}:85 ${endpoints(servers[1])}`);
    expect(await n.ask(client, 'tcp', web, 85, 1)).toEqual({ [`b ${node}`]: 1 });
    await n.control(`del tcp ${web}:85`);
    await n.run('runner', ['touch', '/tmp/go']);
    expect(await held).toEqual({ before: `a ${node}`, after: `a ${node}` });
  });

  test('replaces everything between begin and end, and nothing without end', async () => {
    await n.control(
      `set tcp ${web}:86 ${endpoints(servers[0])}`,
      'begin',
      `set tcp ${web}:87 ${endpoints(servers[1])}`,
    );
    expect(await n.ask(client, 'tcp', web, 86, 1)).toEqual({ [`a ${node}`]: 1 });
    const kept = `set tcp ${web}:80 ${endpoints(...servers)}`;
    expect(await n.control('end')).toEqual(['error EINVAL Bad end: there was no begin']);
    expect(
      await n.control('begin', kept, `set udp ${web}:53 ${endpoints(servers[2])}`, 'end'),
    ).toEqual(Array<string>(4).fill('ok'));
    expect((await n.stats())['frontends']).toBe(2);
    expect(await n.ask(client, 'tcp', web, 86, 1)).toEqual({ ECONNRESET: 1 });
    expect(await n.ask(client, 'udp', web, 53, 1)).toEqual({ [`c ${node}`]: 1 });
  });

  test('answers bad lines and goes on', async () => {
    const long = `set tcp ${web}:80 ${'x'.repeat(300_000)}`;
    expect(
      await n.control(
        'nonsense',
        long,
        'set tcp 1.2.3.4',
        'del tcp 1.2.3.4:5',
        `set udp 10.42.0.77:53 ${endpoints(servers[0])}`,
      ),
    ).toEqual([
      "error EINVAL Unknown command 'nonsense': must be set, del, begin, end, stats, watch, attach or detach",
      'error E2BIG Bad line: longer than 262144 bytes',
      "error EINVAL Bad frontend '1.2.3.4': must be an IPv4 address and a port, or *:PORT",
      'error ENOENT Failed to delete the frontend: No such file or directory',
      expect.stringMatching(/^error EADDRNOTAVAIL Failed to listen on 10\.42\.0\.77:53: /),
    ]);
  });

  test('takes a thousand Services and one change among them at once', async () => {
    const all = Array.from(
      { length: 1000 },
      (_, i) => `set tcp 10.43.${4 + (i >> 8)}.${i & 255}:80 ${endpoints(...servers)}`,
    );
    const answers = await n.control('begin', ...all, 'end');
    expect(new Set(answers)).toEqual(new Set(['ok']));
    expect((await n.stats())['frontends']).toBe(1000);
    expect(await n.ask(client, 'tcp', '10.43.7.1', 80, 3)).toEqual({
      [`a ${node}`]: 1,
      [`b ${node}`]: 1,
      [`c ${node}`]: 1,
    });
  });

  test('starts again after it was killed, and leaves nothing behind when it is told to end', async () => {
    await n.control(`set udp ${web}:53 ${endpoints(servers[0])}`);
    await n.run('runner', ['pkill', '-KILL', '-x', 'gateway']);
    await n.ready(2);
    expect(await n.ask('node', 'addresses')).not.toContain(web);
    expect(await n.ask(client, 'tcp', web, 80, 1)).toEqual({ ECONNRESET: 1 });
    await n.control(
      `set udp ${web}:53 ${endpoints(servers[0])}`,
      `set tcp ${web}:80 ${endpoints(servers[1])}`,
    );
    expect(await n.ask('node', 'addresses')).toContain(web);
    expect(await n.ask(client, 'udp', web, 53, 1)).toEqual({ [`a ${node}`]: 1 });
    expect(await n.ask(client, 'tcp', web, 80, 1)).toEqual({ [`b ${node}`]: 1 });
    await n.run('runner', ['pkill', '-TERM', '-x', 'gateway']);
    await n.ready(3);
    expect(await n.ask('node', 'addresses')).not.toContain(web);
    expect(await n.ask('runner', 'tcp', '127.0.0.1', 6443, 1)).toEqual({ 'api 127.0.0.1': 1 });
  });
});
