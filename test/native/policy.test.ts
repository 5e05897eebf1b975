import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startTestNode, type Place, type Pod, type TestNode } from './gateway/test-node.ts';

const node = '10.42.0.1';
const web = '10.43.0.10';
const ok = (count: number) => Array<string>(count).fill('ok');

describe.each([
  { profile: 'stock', sanitize: false },
  { profile: 'native', sanitize: true },
] as const)('policy in $profile, sanitizers: $sanitize', ({ profile, sanitize }) => {
  let n: TestNode;
  let server: Pod;
  let friend: Pod;
  let stranger: Pod;

  beforeAll(async () => {
    n = await startTestNode({ profile, sanitize, dnsUpstreams: (outside) => [outside] });
  });

  afterAll(async () => {
    const log = await n.gatewayLog();
    await n[Symbol.asyncDispose]();
    expect(log).not.toMatch(/Sanitizer|runtime error/);
  });

  const start = async (name: string, namespace: string) => {
    const pod = await n.addPod(name, namespace);
    await n.serve(pod, name, [8080, 8081, 8090]);
    return pod;
  };
  /** Which of TCP and UDP get an answer. */
  const reach = (from: Place, address: string, port: number) => n.ask(from, 'reach', address, port);
  const frontends = () =>
    ['tcp', 'udp'].flatMap((protocol) => [
      `set ${protocol} ${web}:80 ${server.address}:8080`,
      `set ${protocol} *:30080 ${server.address}:8080`,
    ]);
  /** Tells the gateway that these are the only policies. */
  const policies = async (...lines: readonly string[]) => {
    const all = ['begin', ...frontends(), ...lines.map((line) => `set ${line}`), 'end'];
    expect(await n.control(...all)).toEqual(ok(all.length));
  };

  test('lets no pod start before the controller has told the policies', async () => {
    await expect(n.addPod('early', 'a')).rejects.toThrow(
      /"code":11,"msg":"The gateway refuses pod a\/early: error EAGAIN The controller has not told/,
    );
    expect(await n.control('begin', 'end')).toEqual(ok(2));
    server = await start('server', 'a');
    friend = await start('friend', 'a');
    stranger = await start('stranger', 'b');
  });

  test('keeps strangers out of an isolated pod, by its address and by its Service', async () => {
    await policies('ingress a/server a/friend');
    for (const [address, port] of [
      [server.address, 8080],
      [web, 80],
      [node, 30080],
    ] as const) {
      expect(await reach(friend, address, port)).toBe('tcp udp');
      expect(await reach(stranger, address, port)).toBe('');
    }
    // By the Service as well it is dropped, not accepted and then reset.
    expect(await n.ask(stranger, 'tcp', web, 80, 0)).toEqual({});
    expect((await n.stats())['tcp_refused']).toBe(0);
  });

  test('never keeps out the node, the runner, nor the pod itself; lets answers pass', async () => {
    await policies('ingress a/server');
    expect(await reach('node', server.address, 8080)).toBe('tcp udp');
    expect(await reach('node', web, 80)).toBe('tcp udp');
    expect(await reach('runner', '127.0.0.1', 30080)).toBe('tcp udp');
    expect(await reach(server, server.address, 8080)).toBe('tcp udp');
    expect(await reach(server, web, 80)).toBe('tcp udp');
    expect(await reach(server, stranger.address, 8080)).toBe('tcp udp');
  });

  test('tells ports, ranges, protocols and networks apart', async () => {
    await policies(
      `ingress a/server a/friend:tcp:8080-8081 ${stranger.address}/32:udp:8090 10.42.9.0/24`,
    );
    expect(await reach(friend, server.address, 8080)).toBe('tcp');
    expect(await reach(friend, server.address, 8081)).toBe('tcp');
    expect(await reach(friend, server.address, 8090)).toBe('');
    expect(await reach(stranger, server.address, 8090)).toBe('udp');
    expect(await reach(friend, web, 80)).toBe('tcp');
    expect(await reach(stranger, web, 80)).toBe('');
  });

  test('keeps an isolated pod in: from pods, Services and the outside', async () => {
    await policies('egress a/friend a/server:tcp');
    expect(await reach(friend, server.address, 8080)).toBe('tcp');
    expect(await reach(friend, web, 80)).toBe('tcp');
    expect(await reach(friend, stranger.address, 8080)).toBe('');
    expect(await reach(stranger, friend.address, 8080)).toBe('tcp udp');
    const fetch = ['curl', '-sS', '-m', '3', `http://${n.outside}/x`];
    await expect(n.run(friend, fetch)).rejects.toThrow(/timed out/i);
    expect(await n.run(stranger, fetch)).toContain('"path":"/x"');
    expect(await n.ask(friend, 'udp', n.outside, 7, 1)).toEqual({ ABORT_ERR: 1 });
    expect(await n.ask(stranger, 'udp', n.outside, 7, 1)).toEqual({ PING: 1 });
    await policies(`egress a/friend ${n.outside}/32:tcp`);
    expect(await n.run(friend, fetch)).toContain('"path":"/x"');
    expect(await reach(friend, web, 80)).toBe('');
  });

  test('isolates a pod of which it was not told while its namespace has policies', async () => {
    await policies('ingress a/*', 'ingress a/server 0.0.0.0/0');
    expect(await reach(stranger, server.address, 8080)).toBe('tcp udp');
    expect(await reach(stranger, friend.address, 8080)).toBe('');
    expect(await n.control('set ingress a/friend 0.0.0.0/0')).toEqual(ok(1));
    expect(await reach(stranger, friend.address, 8080)).toBe('tcp udp');
  });

  test('knows a peer by its name, before its first packet and no longer than it lives', async () => {
    await policies('ingress a/server a/late', 'egress a/late a/server');
    const late = await start('late', 'a');
    expect(await reach(late, server.address, 8080)).toBe('tcp udp');
    expect(await reach(late, stranger.address, 8080)).toBe('');
    await n.removePod(late);
    // The plugin gives an address again as late as it can, so a pod is named in its place.
    const heir = await n.addPod('heir', 'b');
    expect(await n.control(`attach heir b/heir ${late.address} /tmp/netns-heir`)).toEqual(ok(1));
    expect(await n.control(`set ingress a/server ${late.address}/32`)).toEqual(ok(1));
    await n.removePod(heir);
  });

  test('lets what is open go on, and new connections no more, when it changes', async () => {
    await policies('ingress a/server a/friend');
    const hold = async (from: Pod, to: Pod) => {
      const file = `/tmp/from-${from.name}`;
      const held = n.ask(from, 'hold', to.address, 8080, file);
      await n.run('runner', ['sh', '-c', `until test -e ${file}.held; do sleep 0.1; done`]);
      return async () => {
        await n.run('runner', ['touch', file]);
        const reply = `${to.name} ${from.address}`;
        expect(await held).toEqual({ before: reply, after: reply });
      };
    };
    const goesOn = await hold(friend, server);
    // Between pods that no policy was about yet.
    const goesOnToo = await hold(stranger, friend);
    expect(await n.control('set ingress a/friend', 'set egress a/friend')).toEqual(ok(2));
    expect(await reach(stranger, friend.address, 8080)).toBe('');
    await goesOnToo();
    expect(await n.control('del egress a/friend', 'set ingress a/server b/stranger')).toEqual(
      ok(2),
    );
    expect(await reach(friend, server.address, 8080)).toBe('');
    expect(await reach(stranger, server.address, 8080)).toBe('tcp udp');
    await goesOn();
    expect(await n.control('del ingress a/server')).toEqual(ok(1));
    expect(await reach(friend, server.address, 8080)).toBe('tcp udp');
    expect(await reach(friend, web, 80)).toBe('tcp udp');
  });

  test('isolates entirely what has more rules than a kernel takes', async () => {
    const many = Array.from({ length: 400 }, (_, i) => `10.42.1.${i % 256}/32:tcp:${i + 1}`);
    await policies(`ingress a/server a/friend ${many.join(' ')}`);
    const everyone = profile === 'native' ? 'tcp udp' : '';
    expect(await reach(friend, server.address, 8080)).toBe(everyone);
    expect(await reach(stranger, server.address, 8080)).toBe('');
    expect(await reach('node', server.address, 8080)).toBe('tcp udp');
    // The gateway itself has no such limit.
    expect(await reach(friend, web, 80)).toBe('tcp udp');
    if (profile !== 'native') {
      expect(await n.gatewayLog()).toMatch(
        /Failed to replace the iptables table nat: Invalid argument; a\/server: isolated entirely/,
      );
    }
  });

  test('leaves to the gateway what does not fit, but for pods', async () => {
    const many = Array.from({ length: 400 }, (_, i) => `198.51.100.${i % 256}/32:tcp:${i + 1}`);
    await policies(`egress b/stranger a/friend:tcp:8080 ${many.join(' ')}`);
    expect(await reach(stranger, friend.address, 8080)).toBe('tcp');
    expect(await reach(stranger, server.address, 8080)).toBe('');
    expect(await reach(stranger, web, 80)).toBe('');
    if (profile !== 'native') {
      expect(await n.gatewayLog()).toMatch(
        /Failed to replace the iptables table nat: Invalid argument; b\/stranger: what is not allowed/,
      );
    }
    await policies(`egress b/stranger a/server ${many.join(' ')}`);
    expect(await reach(stranger, web, 80)).toBe('tcp udp');
  });

  test('remembers the pods when it is started again, and trusts none until it is told', async () => {
    await policies('ingress a/server a/friend', 'egress b/stranger');
    await n.run('runner', ['pkill', '-KILL', '-x', 'gateway']);
    await n.ready(2);
    expect(await reach(stranger, server.address, 8080)).toBe('');
    expect(await reach(friend, server.address, 8080)).toBe('tcp udp');
    await n.control(...frontends());
    expect(await reach(friend, web, 80)).toBe('');
    expect(await reach('node', web, 80)).toBe('tcp udp');
    await policies();
    expect(await reach(stranger, server.address, 8080)).toBe('tcp udp');
    expect(await reach(stranger, web, 80)).toBe('tcp udp');
    expect((await n.stats())['pods']).toBe(3);
  });

  test('believes no borrowed address while a pod is isolated', async () => {
    await policies('egress b/stranger');
    // Linux, other than gVisor, asks the pod's own rules about raw packets too, and says so.
    const send = (from: Pod, source: string) => {
      const command = `/programs/test/gateway/datagram_test ${source} ${n.outside} 7`;
      return n.run(from, ['sh', '-c', `${command} || test ${profile} = native`]);
    };
    const before = (await n.stats())['udp_flows'] ?? 0;
    // The node's address, another pod's, and one that nobody has.
    for (const source of [node, friend.address, '10.42.0.77', stranger.address]) {
      await send(stranger, source);
    }
    await send(friend, friend.address);
    const flows = async () => (await n.stats())['udp_flows'];
    await expect.poll(flows, { timeout: 120_000 }).toBe(before + 1);
    expect(await n.ask(friend, 'udp', n.outside, 7, 1)).toEqual({ PING: 1 });
  });

  test('answers an isolated pod no questions about the outside', async () => {
    await policies('egress b/stranger');
    const answers = { udp: [n.outside], tcp: { id: 0x1234, code: 0, answers: 1 } };
    expect(await n.ask(friend, 'dns', node, 'outside.test')).toEqual(answers);
    const none = { udp: 'ESERVFAIL', tcp: 'ECONNRESET' };
    expect(await n.ask(stranger, 'dns', node, 'outside.test')).toEqual(none);
    await policies(`egress b/stranger ${n.outside}/32`);
    expect(await n.ask(stranger, 'dns', node, 'outside.test')).toEqual(answers);
  });

  test('resets the connections of a pod that is gone', async () => {
    await policies();
    const gone = await start('gone', 'a');
    await n.control(`set tcp ${web}:86 ${gone.address}:8080`);
    const ended = n.ask(friend, 'silent', web, 86, '/tmp/gone');
    await n.run('runner', ['sh', '-c', 'until test -e /tmp/gone.held; do sleep 0.05; done']);
    await n.removePod(gone);
    expect(await ended).toBe('ECONNRESET');
  });
});
