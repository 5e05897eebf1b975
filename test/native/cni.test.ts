import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Operation } from '../../src/namespaces/operations.ts';
import type { SandboxOptions } from '../testbed/sandbox.ts';
import {
  BIN,
  launchOf,
  logOf,
  privateRoot,
  runInit,
  processOf,
  SHARE,
  startBench,
  traces,
  type Bench,
} from './launch.ts';
import type { Command, Outcome } from './steps.ts';

const profiles: SandboxOptions[] = [
  { profile: 'stock' },
  { profile: 'privileged' },
  { profile: 'stock', runsc: '2026-02' },
  { profile: 'native' },
];

const DATA = '/run/cni';

const CONFIG = {
  cniVersion: '1.1.0',
  name: 'k3s',
  type: 'gvisor-bridge',
  bridge: 'cni0',
  subnet: '10.42.0.0/24',
  gateway: '10.42.0.1',
  dataDir: DATA,
};

/** A call of the plugin as a runtime makes it. */
function cni(
  command: string,
  container: string,
  { config = {}, netns = `/run/netns/${container}`, pod, ...more }: CniOptions = {},
): Command {
  return {
    argv: [`${BIN}/cni`],
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: container,
      CNI_IFNAME: 'eth0',
      CNI_NETNS: netns,
      CNI_PATH: '/opt/cni/bin',
      ...(pod === undefined ? {} : { CNI_ARGS: argumentsOf(pod) }),
    },
    stdin: JSON.stringify({ ...CONFIG, ...config }),
    ...more,
  };
}

interface CniOptions extends Partial<Command> {
  config?: Readonly<Record<string, unknown>>;
  netns?: string;
  /** NAMESPACE/NAME, as containerd tells it. */
  pod?: string;
}

function argumentsOf(pod: string): string {
  const [namespace, name] = pod.split('/');
  return `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}`;
}

const bash = (text: string): Command => ({ argv: ['bash', '-c', text] });

/** Makes network namespaces, each a file to be entered by. */
const netns = (...names: string[]): Command[] => [
  bash(
    `mkdir -p /run/netns; for n in ${names.join(' ')}; do
       touch /run/netns/$n; unshare --net=/run/netns/$n true; done`,
  ),
];

const inside = (name: string, text: string): Command => ({
  argv: ['nsenter', `--net=/run/netns/${name}`, 'bash', '-c', text],
});

const leases: Command = { argv: ['cat', `${DATA}/leases`] };
const links = bash(`sed -n 's/^ *\\([^:]*\\):.*/\\1/p' /proc/net/dev | sort`);

/** What a plugin printed. */
interface Printed {
  cniVersion: string;
  interfaces: { name: string; mac: string; mtu?: number }[];
  ips: { address: string }[];
  code: number;
  msg: string;
}

const parse = (outcome: Outcome | undefined): Printed =>
  JSON.parse(outcome?.stdout ?? '') as Printed;

const failureOf = (outcome: Outcome | undefined): [number | null | undefined, number, string] => {
  const { code, msg } = parse(outcome);
  return [outcome?.code, code, msg];
};

describe.each(profiles)('cni in %o', (options) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench(options);
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  /** Runs the groups of commands in a fresh node namespace with a bridge. */
  const run = (...groups: Command[][]): Promise<Outcome[][]> => runOn([], groups);

  /** As `run`, on a node that was changed by the operations. */
  async function runOn(changes: readonly Operation[], groups: Command[][]): Promise<Outcome[][]> {
    const before = await traces(bench);
    const { code } = await runInit(
      bench,
      launchOf(bench, [
        ...privateRoot,
        ...changes,
        ['environment', 'PATH', '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        ...processOf('steps', 'essential', '/usr/local/bin/node'),
        ['argument', 'steps', `${SHARE}/steps.ts`],
        ['argument', 'steps', `${SHARE}/groups.json`],
        ['argument', 'steps', `${SHARE}/outcomes.json`],
        ['start', 'steps'],
      ]),
      {},
      async (dir) => {
        await copyFile(join(import.meta.dirname, 'steps.ts'), join(dir, 'steps.ts'));
        await writeFile(join(dir, 'groups.json'), JSON.stringify(groups));
      },
    );
    if (code !== 0) throw new Error(await logOf(bench, 'steps'));
    expect(await traces(bench)).toEqual(before);
    return JSON.parse(await readFile(join(bench.dir, 'outcomes.json'), 'utf8')) as Outcome[][];
  }

  /** As `run`, for commands that are run one after the other. */
  async function runEach(...commands: Command[]): Promise<Outcome[]> {
    return (await run(...commands.map((command) => [command]))).flat();
  }

  test('connects pods: addresses, routes, lo, each other and the node', async () => {
    const listen = `node -e "require('net').createServer((c) => c.end('hello')).listen(80, '0.0.0.0')"`;
    const reach = (host: string): string =>
      `for i in $(seq 200); do cat </dev/tcp/${host}/80 2>/dev/null && break; done`;
    const outcomes = await runEach(
      ...netns('a', 'b'),
      cni('STATUS', ''),
      cni('ADD', 'a', { config: { dns: { nameservers: ['10.43.0.10'] } } }),
      cni('ADD', 'b'),
      inside('a', `${listen} >/dev/null 2>&1 & disown`),
      bash(`${listen} >/dev/null 2>&1 & disown`),
      inside('b', reach('10.42.0.2')),
      inside('b', reach('10.42.0.1')),
      bash(reach('10.42.0.2')),
      inside('a', reach('127.0.0.1')),
      inside('a', 'cat /proc/net/route; cat /sys/class/net/eth0/address 2>/dev/null'),
      links,
      cni('CHECK', 'a', { config: { prevResult: { ips: [{ address: '10.42.0.2/24' }] } } }),
    );
    const [, status, first, second, , , pod, node, fromNode, loopback, routes, names, check] =
      outcomes;

    expect(status).toMatchObject({ code: 0, stdout: '' });
    const result = parse(first);
    const mac = expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/) as string;
    const mtu = result.interfaces[0]?.mtu;
    expect(mtu).toBeGreaterThanOrEqual(1_280);
    expect(result).toEqual({
      cniVersion: '1.1.0',
      interfaces: [
        { name: 'cni0', mac, mtu },
        { name: 'veth0a2a0002', mac, mtu },
        { name: 'eth0', mac: '0a:58:0a:2a:00:02', mtu, sandbox: '/run/netns/a' },
      ],
      ips: [{ address: '10.42.0.2/24', gateway: '10.42.0.1', interface: 2 }],
      routes: [{ dst: '0.0.0.0/0', gw: '10.42.0.1' }],
      dns: { nameservers: ['10.43.0.10'] },
    });
    expect(parse(second)).toMatchObject({ ips: [{ address: '10.42.0.3/24' }], dns: {} });
    expect([pod, node, fromNode, loopback].map((outcome) => outcome?.stdout)).toEqual(
      Array.from({ length: 4 }, () => 'hello'),
    );
    expect(routes?.stdout).toMatch(/^eth0\t00000000\t01002A0A/m);
    expect(names?.stdout.split('\n')).toEqual(
      expect.arrayContaining(['cni0', 'veth0a2a0002', 'veth0a2a0003']),
    );
    expect(check).toMatchObject({ code: 0, stdout: '' });
  });

  test('connects pods of nodes that share a bridge, each with addresses of its own', async () => {
    const network = '10.42.0.0/24';
    const here = { subnet: '10.42.0.0/25', network };
    const there = {
      subnet: '10.42.0.128/25',
      network,
      bridgeNetns: '/run/wire',
      dataDir: '/run/cni-there',
    };
    const far = (command: string, container: string): Command => {
      const { argv, ...more } = cni(command, container, { config: there });
      return { argv: ['nsenter', '--net=/run/netns/far', ...argv], ...more };
    };
    const outcomes = await runEach(
      ...netns('far', 'a', 'b'),
      bash('touch /run/wire; mount --bind /proc/self/ns/net /run/wire'),
      far('STATUS', ''),
      cni('ADD', 'a', { config: here }),
      far('ADD', 'b'),
      far('CHECK', 'b'),
      inside('b', 'echo >/dev/tcp/10.42.0.2/1; echo >/dev/tcp/10.42.0.1/1'),
      inside('far', "sed -n 's/^ *\\([^:]*\\):.*/\\1/p' /proc/net/dev"),
      far('DEL', 'b'),
      links,
      cni('ADD', 'b', { config: { ...there, network: '10.42.1.0/24' } }),
      cni('ADD', 'b', { config: { ...there, bridgeNetns: '/run/missing' } }),
    );
    const [, , status, near, other, , reached, left, deleted, rest, outside, missing] = outcomes;
    expect(status).toMatchObject({ code: 0, stdout: '' });
    expect(parse(near)).toMatchObject({ ips: [{ address: '10.42.0.2/24' }] });
    expect(parse(other)).toMatchObject({
      ips: [{ address: '10.42.0.129/24', gateway: '10.42.0.1' }],
    });
    expect(reached?.stderr).toContain('/dev/tcp/10.42.0.2/1: Connection refused');
    expect(reached?.stderr).toContain('/dev/tcp/10.42.0.1/1: Connection refused');
    expect(left?.stdout).not.toContain('veth');
    expect(deleted).toMatchObject({ code: 0, stdout: '' });
    expect(rest?.stdout).toContain('veth0a2a0002');
    expect(rest?.stdout).not.toContain('veth0a2a0081');
    expect(failureOf(outside)).toEqual([
      1,
      7,
      'Bad "network" 10.42.1.0/24: the subnet is not in it',
    ]);
    expect(failureOf(missing)).toEqual([1, 100, expect.stringMatching(/No such file/)]);
  });

  test('speaks each version of the specification in its form', async () => {
    const [version, bare, old, middle, one] = await runEach(
      { ...cni('VERSION', ''), stdin: '{"cniVersion":"0.4.0"}' },
      { ...cni('VERSION', ''), stdin: '{}' },
      ...netns('a', 'b', 'c'),
      cni('ADD', 'a', { config: { cniVersion: '0.3.1' } }),
      cni('ADD', 'b', { config: { cniVersion: '0.4.0' } }),
      cni('ADD', 'c', { config: { cniVersion: '1.0.0' } }),
    ).then((outcomes) => outcomes.filter((_, index) => index !== 2));

    const supportedVersions = ['0.3.1', '0.4.0', '1.0.0', '1.1.0'];
    expect(parse(version)).toEqual({ cniVersion: '0.4.0', supportedVersions });
    expect(parse(bare)).toEqual({ cniVersion: '1.1.0', supportedVersions });
    const ip = { gateway: '10.42.0.1', interface: 2 };
    expect(parse(old)).toMatchObject({
      cniVersion: '0.3.1',
      ips: [{ version: '4', address: '10.42.0.2/24', ...ip }],
    });
    expect(parse(middle)).toMatchObject({ cniVersion: '0.4.0', ips: [{ version: '4' }] });
    const { cniVersion, ips, interfaces } = parse(one);
    expect(cniVersion).toBe('1.0.0');
    expect(ips).toEqual([{ address: '10.42.0.4/24', ...ip }]);
    expect(Object.keys(interfaces[2] ?? {})).toEqual(['name', 'mac', 'sandbox']);
  });

  test('brings lo up', async () => {
    const loopback = { name: 'lo', type: 'loopback', cniVersion: '1.0.0' };
    const call = (command: string, name = 'a'): Command => ({
      ...cni(command, name),
      stdin: JSON.stringify(loopback),
    });
    const [, add, check, ping, del, gone] = await runEach(
      ...netns('a'),
      call('ADD'),
      call('CHECK'),
      inside('a', 'echo >/dev/tcp/127.0.0.1/1'),
      call('DEL'),
      call('DEL', 'never'),
    );
    expect(parse(add)).toEqual({
      cniVersion: '1.0.0',
      interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00', sandbox: '/run/netns/a' }],
      ips: [{ address: '127.0.0.1/8', interface: 0 }],
      dns: {},
    });
    expect(check).toMatchObject({ code: 0, stdout: '' });
    expect(ping?.stderr).toContain('Connection refused');
    expect(del).toMatchObject({ code: 0, stdout: '' });
    expect(gone).toMatchObject({ code: 0, stdout: '' });
  });

  test('takes back what it gave, whatever is left of it, as often as it is asked', async () => {
    const outcomes = await runEach(
      ...netns('a', 'b', 'c'),
      cni('ADD', 'a'),
      cni('ADD', 'b'),
      cni('DEL', 'a'),
      cni('DEL', 'a'),
      cni('DEL', 'b', { netns: '' }),
      cni('DEL', 'never', { netns: '/run/netns/never' }),
      leases,
      links,
      cni('ADD', 'c'),
      bash('umount /run/netns/c; rm /run/netns/c'),
      cni('DEL', 'c'),
      leases,
    );
    const deletions = [3, 4, 5, 6, 11].map((index) => outcomes[index]);
    for (const outcome of deletions) expect(outcome).toMatchObject({ code: 0, stdout: '' });
    expect(outcomes[7]?.stdout).toBe('last\t10.42.0.3\n');
    expect(outcomes[8]?.stdout).not.toContain('veth');
    // Given back last, given out last: nobody remembers an address that is given out again.
    expect(parse(outcomes[9])).toMatchObject({ ips: [{ address: '10.42.0.4/24' }] });
    expect(outcomes[12]?.stdout).toBe('last\t10.42.0.4\n');
  });

  test('says what is wrong, with the code of it', async () => {
    const outcomes = await runEach(
      ...netns('a', 'b', 'c', 'd'),
      { ...cni('ADD', 'a'), stdin: '{"type":' },
      cni('ADD', 'a', { config: { cniVersion: '9.9.9' } }),
      cni('ADD', 'a', { config: { subnet: '10.42.0.0' } }),
      cni('ADD', 'a', { netns: '/run/netns/missing' }),
      cni('ADD', 'a', { netns: '/etc/passwd' }),
      cni('ADD', 'a', { config: { bridge: 'br9' } }),
      cni('ADD', '../a'),
      cni('STATUS', '', { config: { bridge: 'br9' } }),
      cni('STATUS', '', { config: { cniVersion: '1.0.0' } }),
      leases,
      cni('ADD', 'a', { config: { subnet: '10.42.0.0/30', gateway: '10.42.0.1' } }),
      cni('ADD', 'a', { config: { subnet: '10.42.0.0/30', gateway: '10.42.0.1' } }),
      cni('ADD', 'b', { config: { subnet: '10.42.0.0/30', gateway: '10.42.0.1' } }),
      cni('STATUS', '', { config: { subnet: '10.42.0.0/30', gateway: '10.42.0.1' } }),
      cni('CHECK', 'a', { config: { prevResult: { ips: [{ address: '10.42.0.9/24' }] } } }),
      cni('CHECK', 'c', { config: { prevResult: {} } }),
      cni('GC', ''),
    );
    expect(outcomes.slice(1, 10).map(failureOf)).toEqual([
      [1, 6, 'Bad JSON at byte 8: expected a value'],
      [1, 1, 'Unknown cniVersion 9.9.9: expected 0.3.1 to 1.1.0'],
      [1, 7, 'Bad "subnet" 10.42.0.0: expected one such as 10.42.0.0/24, at most /30'],
      [1, 3, expect.stringMatching(/^Failed to open network namespace \/run\/netns\/missing: /)],
      [1, 100, expect.stringMatching(/^Failed to make link veth0a2a0002: /)],
      [1, 100, expect.stringMatching(/^Failed to find bridge br9: No such device/)],
      [1, 4, 'Bad CNI_CONTAINERID "../a": expected letters, digits, "_", "." and "-"'],
      [1, 50, expect.stringMatching(/^Failed to find bridge br9: No such device/)],
      [1, 1, 'Bad cniVersion 1.0.0: expected 1.1.0 or later for this command'],
    ]);
    // What failed has left no lease.
    expect(outcomes[10]?.stdout).toBe('last\t10.42.0.2\n');
    expect(outcomes[11]?.code).toBe(0);
    expect(outcomes.slice(12, 15).map(failureOf)).toEqual([
      [1, 102, 'Container a has an address on eth0 already: DEL comes first'],
      [1, 11, 'No address is free in 10.42.0.0/30: 1 are in use'],
      [1, 50, expect.stringMatching(/^Failed to find the gateway's address: /)],
    ]);
    expect(outcomes.slice(15, 18).map(failureOf)).toEqual([
      [1, 101, 'Bad prevResult: expected it to have the address 10.42.0.2/24'],
      [1, 101, expect.stringMatching(/^Failed to find the address of container c on eth0: /)],
      [1, 7, 'Bad network configuration: "cni.dev/valid-attachments" must be a list'],
    ]);
  });

  test('undoes an ADD that fails inside the pod', async () => {
    const gatewaySocket = '/run/no-gateway';
    const [, refused, left, names, again] = await runEach(
      ...netns('a'),
      cni('ADD', 'a', { config: { gatewaySocket }, pod: 'default/a' }),
      leases,
      links,
      cni('ADD', 'a'),
    );
    expect(failureOf(refused)).toEqual([
      1,
      11,
      expect.stringMatching(/^Failed to ask the gateway at \/run\/no-gateway for the policies of /),
    ]);
    expect(left?.stdout).toBe('last\t10.42.0.2\n');
    expect(names?.stdout).not.toContain('veth');
    expect(again).toMatchObject({ code: 0 });
  });

  test('is not held up by another that waits for the gateway', async () => {
    const config = { gatewaySocket: '/run/hung' };
    const hang = `require('net').createServer(() => console.log('asked')).listen('/run/hung')`;
    const groups = await run(
      netns('a', 'b'),
      [cni('ADD', 'a')],
      [bash(`node -e "${hang}" >/run/asked 2>&1 & disown; until [ -S /run/hung ]; do :; done`)],
      [
        cni('DEL', 'a', { config }),
        {
          ...cni('ADD', 'b'),
          argv: ['bash', '-c', `until grep -q . /run/asked; do :; done; exec ${BIN}/cni`],
        },
      ],
      [leases],
    );
    const [del, add] = groups[3] ?? [];
    expect([del?.code, add?.code]).toEqual([0, 0]);
    // The gateway has not been asked a second time, and the plugin does not wait for ever.
    expect(del?.milliseconds).toBeGreaterThan(5_000);
    expect(add?.milliseconds).toBeLessThan(5_000);
    expect(groups[4]?.[0]?.stdout).toBe('last\t10.42.0.3\nlease\t10.42.0.3\tb\teth0\n');
  });

  test("leaves the node's own namespace alone", async () => {
    const [own, left] = await runEach(cni('ADD', 'a', { netns: '/proc/self/ns/net' }), leases);
    expect(failureOf(own)).toEqual([1, 4, "Bad CNI_NETNS /proc/self/ns/net: it is the node's own"]);
    expect(left?.code).toBe(1);
  });

  test('says that its result was not taken', async () => {
    const gone = `mkfifo /run/gone; exec 3<>/run/gone 4>/run/gone 3<&-; ${BIN}/cni >&4; echo $?`;
    const [, add] = await runEach(...netns('a'), {
      ...cni('ADD', 'a'),
      argv: ['bash', '-c', gone],
    });
    expect(add?.stdout).toBe('1\n');
  });

  test('finds its way among hundreds of links and addresses', async () => {
    const ports = Array.from({ length: 350 }, (_, index): Operation => {
      const address = `10.99.${Math.floor(index / 250)}.${(index % 250) + 1}/32`;
      return ['port', 'other', `p${index}`, address];
    });
    const prevResult = { ips: [{ address: '10.42.0.2/24' }] };
    const outcomes = await runOn(
      [['bridge', 'other'], ...ports],
      [
        netns('a'),
        [cni('STATUS', '')],
        [cni('ADD', 'a')],
        [cni('CHECK', 'a', { config: { prevResult } })],
      ],
    );
    expect(outcomes.flat().map(({ code, stdout }) => (code === 0 ? 0 : stdout))).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test('CHECK sees what others broke', async () => {
    const prevResult = { ips: [{ address: '10.42.0.2/24' }] };
    const check = cni('CHECK', 'a', { config: { prevResult } });
    const outcomes = await runEach(
      ...netns('a'),
      cni('ADD', 'a'),
      check,
      // Another store that knows the lease as well takes the link away behind the first's back.
      bash(`cp -r ${DATA} /run/other`),
      cni('DEL', 'a', { config: { dataDir: '/run/other' } }),
      check,
    );
    expect(outcomes[2]).toMatchObject({ code: 0, stdout: '' });
    expect(failureOf(outcomes[5])).toEqual([
      1,
      101,
      expect.stringMatching(/^Failed to find link veth0a2a0002: /),
    ]);
  });

  test('GC takes back what the runtime does not know', async () => {
    const outcomes = await runEach(
      ...netns('a', 'b', 'c'),
      cni('ADD', 'a'),
      cni('ADD', 'b'),
      cni('ADD', 'c'),
      cni('GC', '', {
        config: {
          'cni.dev/valid-attachments': [
            { containerID: 'b', ifname: 'eth0' },
            { containerID: 'c', ifname: 'eth1' },
          ],
        },
      }),
      leases,
      links,
    );
    expect(outcomes[4]).toMatchObject({ code: 0, stdout: '' });
    expect(outcomes[5]?.stdout).toBe('last\t10.42.0.4\nlease\t10.42.0.3\tb\teth0\n');
    expect(outcomes[6]?.stdout.match(/veth\w+/g)).toEqual(['veth0a2a0003']);
  });

  test('gives each of many at once an address of its own', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `pod-${index}`);
    const [, added, deleted, left] = await run(
      netns(...names),
      names.map((name) => cni('ADD', name)),
      names.map((name) => cni('DEL', name)),
      [leases, links],
    );
    const addresses = added?.map((outcome) => parse(outcome).ips[0]?.address);
    expect(new Set(addresses).size).toBe(names.length);
    expect(deleted?.map(({ code }) => code)).toEqual(names.map(() => 0));
    expect(left?.[0]?.stdout).not.toContain('lease\t');
    expect(left?.[1]?.stdout).not.toContain('veth');
  });

  test('can be killed at any moment: DEL and ADD mend it', async () => {
    const kills = Array.from({ length: 30 }, (_, index) => [
      cni('ADD', 'a', { killAfter: index / 2 }),
      cni('DEL', 'a', { killAfter: index / 2 }),
      cni('DEL', 'a'),
    ]).flat();
    const outcomes = await runEach(
      ...netns('a'),
      ...kills,
      cni('ADD', 'a'),
      leases,
      links,
      cni('DEL', 'a'),
      leases,
      links,
    );
    const ends = outcomes.slice(1, -6);
    expect(ends.some(({ code }) => code === null)).toBe(true);
    expect(ends.filter((_, index) => index % 3 === 2).map(({ code }) => code)).toEqual(
      Array.from({ length: 30 }, () => 0),
    );
    const [add, one, withLink, del, none, without] = outcomes.slice(-6);
    expect(add?.code).toBe(0);
    expect(one?.stdout.match(/^lease/gm)).toHaveLength(1);
    expect(withLink?.stdout.match(/veth/g)).toHaveLength(1);
    expect(del?.code).toBe(0);
    expect(none?.stdout).not.toContain('lease\t');
    expect(without?.stdout).not.toContain('veth');
  });

  // Linux itself takes longer: it waits for every processor when a link comes or goes.
  if (options.profile !== 'native') {
    test('is quick', async () => {
      const outcomes = await runEach(
        ...netns('a'),
        ...Array.from({ length: 20 }, () => [
          cni('ADD', 'a'),
          cni('DEL', 'a'),
          cni('VERSION', ''),
        ]).flat(),
      );
      const fastest = (kind: number): number =>
        Math.min(
          ...outcomes
            .slice(1)
            .filter((_, index) => index % 3 === kind)
            .map(({ milliseconds }) => milliseconds),
        );
      // VERSION is the start of the program and no more. Alternately and the fastest, so that a
      // busy machine is slow for all.
      const nothing = fastest(2);
      expect(fastest(0) / nothing).toBeLessThan(3);
      expect(fastest(1) / nothing).toBeLessThan(3);
    });
  }
});
