import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { renderLaunchFile, type Operation } from '../../../src/namespaces/operations.ts';
import { startSandbox, type Sandbox } from '../../testbed/sandbox.ts';
import type { Profile } from '../../testbed/state.ts';
import { programs, sanitized } from '../build.ts';

export interface TestNodeOptions {
  profile: Profile;
  /** Whether the gateway runs under ASan and UBSan. */
  sanitize: boolean;
  dnsUpstreams(outside: string): readonly string[];
  publish?: readonly string[];
  borrow?: readonly string[];
  /** The runner's HTTP proxy, as IP:PORT, and what its `Proxy-Authorization` has to be. */
  proxy?: { readonly endpoint: string; readonly authorization: string };
  /** Other nodes' addresses, and the pods by the CNI plugin that stand for them. */
  nodes?: Readonly<Record<string, string>>;
  /** Whether pods reach Services by rules of their own. */
  direct?: boolean;
}

export interface Pod {
  name: string;
  address: string;
  /** In the node's process namespace. */
  pid: string;
}

/** Where a command runs: the runner's own namespaces, the node's, or a pod's. */
export type Place = 'runner' | 'node' | Pod;

/** What the launch puts around k3s, without k3s: namespaces, bridge, gateway, and pods made by the CNI plugin. */
export interface TestNode extends AsyncDisposable {
  /** The host's end of the sandbox's network: see test/testbed/tools/outside. */
  outside: string;
  /** With a namespace the plugin tells the gateway of it, as it does of every Kubernetes pod. */
  addPod(name: string, namespace?: string, link?: string): Promise<Pod>;
  removePod(pod: Pod): Promise<void>;
  /** Starts `peer serve` and returns when it listens. */
  serve(place: Place, name: string, ports: readonly number[]): Promise<void>;
  /** Starts a server of peer.ts, and returns when it listens. */
  start(place: Place, ...argv: readonly (string | number)[]): Promise<void>;
  /** Runs a client of peer.ts and returns what it printed. */
  ask(place: Place, ...argv: readonly (string | number)[]): Promise<unknown>;
  run(place: Place, argv: readonly string[]): Promise<string>;
  /** Sends lines to the control socket and returns the answers. */
  control(...lines: readonly string[]): Promise<string[]>;
  stats(): Promise<Record<string, number>>;
  gatewayLog(): Promise<string>;
  /** Resolves when the gateway listens, for the first time or again. */
  ready(times: number): Promise<void>;
}

const node = '10.42.0.1';
const socket = '/tmp/gateway.sock';
const log = '/tmp/gateway.log';
const cniConfig = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'test',
  type: 'gvisor-bridge',
  bridge: 'cni0',
  subnet: '10.42.0.0/24',
  gateway: node,
  dataDir: '/tmp/cni',
  gatewaySocket: socket,
});

/** Bound to a file, as containerd does it: what a process has below /proc, only its equals may open. */
const netnsOf = (name: string) => `/tmp/netns-${name}`;

export async function startTestNode(options: TestNodeOptions): Promise<TestNode> {
  const host = await mkdtemp(join(tmpdir(), 'gateway-test-'));
  const sandbox = await startSandbox({
    profile: options.profile,
    mounts: [
      { source: programs, destination: '/programs', readonly: true },
      {
        source: options.sanitize ? sanitized : programs,
        destination: '/tested',
        readonly: true,
      },
      { source: import.meta.dirname, destination: '/peer', readonly: true },
      { source: host, destination: '/launch', readonly: true },
    ],
  });
  try {
    await writeFile(join(host, 'launch'), launchFile(options, sandbox.addresses.host));
    const init = await startInit(sandbox);
    return testNode(sandbox, init, host);
  } catch (error) {
    await sandbox.stop();
    await rm(host, { recursive: true });
    throw error;
  }
}

function launchFile(options: TestNodeOptions, outside: string): string {
  const argv = [
    ...['/tested/gateway', '--control', socket, '--bridge', 'cni0', '--bridge-address', node],
    ...['--router', '10.42.0.254', '--pod-cidr', '10.42.0.0/16', '--service-cidr', '10.43.0.0/16'],
    ...options.dnsUpstreams(outside).flatMap((upstream) => ['--dns-upstream', upstream]),
    ...(options.publish ?? []).flatMap((port) => ['--publish', port]),
    ...(options.borrow ?? []).flatMap((port) => ['--borrow', port]),
    ...(options.proxy === undefined ? [] : ['--proxy', options.proxy.endpoint]),
    ...Object.entries(options.nodes ?? {}).flatMap(([address, name]) => [
      '--node',
      `${address}=${netnsOf(name)}`,
    ]),
    ...['--direct', options.direct ? 'on' : 'off'],
  ];
  const operations: Operation[] = [
    ['propagation', '/', 'private'],
    // For LeakSanitizer, which wants to see its own threads there.
    ['mount', 'proc', '/proc', 'proc', '-', '-'],
    ['link-up', 'lo'],
    ['bridge', 'cni0'],
    ['port', 'cni0', 'node0', `${node}/24`],
    ['default-route', '10.42.0.254', 'node0'],
    ['process', 'gateway', 'restart', log],
    ...argv.map((value): Operation => ['argument', 'gateway', value]),
    ...(options.proxy === undefined
      ? []
      : ([
          ['process-environment', 'gateway', 'PROXY_AUTHORIZATION', options.proxy.authorization],
        ] as const)),
    ['uplink', 'gateway'],
    ['start', 'gateway'],
    ['await', 'gateway'],
    // What the node lives as long as, in k3s's place.
    ['process', 'node', 'essential', '/tmp/node.log'],
    ['argument', 'node', '/bin/sleep'],
    ['argument', 'node', 'infinity'],
    ['start', 'node'],
    ['ready'],
  ];
  return renderLaunchFile({
    namespaces: ['user', 'mount', 'pid', 'network', 'uts', 'ipc'],
    idMaps: [{ inside: 0, outside: 0, count: 65536 }],
    denySetgroups: false,
    steps: [{ id: 'test', reason: 'a node without k3s', operations }],
  });
}

/** The process id of init in its namespaces, as the runner sees it. */
async function startInit(sandbox: Sandbox): Promise<string> {
  await background(sandbox, ['/programs/init', '--status-fd', '1', '/launch/launch'], /^ready$/);
  const { stdout } = await sandbox.exec(['sh', '-c', 'pgrep -P "$(pgrep -o -x init)" -x init']);
  return stdout.trim();
}

/** Starts a command that goes on, and returns the first whole line of its output that matches. */
function background(sandbox: Sandbox, argv: readonly string[], wanted: RegExp): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const onOutput = (chunk: Buffer) => {
      output += chunk.toString();
      const line = output
        .split('\n')
        .slice(0, -1)
        .find((text) => wanted.test(text));
      if (line !== undefined) resolve(line);
    };
    sandbox.exec(argv, { onOutput }).then(({ code }) => {
      reject(new Error(`Failed to start ${argv.join(' ')}: it ended with ${code}\n${output}`));
    }, reject);
  });
}

function testNode(sandbox: Sandbox, init: string, host: string): TestNode {
  const all = ['--user', '--mount', '--pid', '--net'];
  const enter = ['nsenter', `--target=${init}`, ...all, '--'];
  const at = (place: Place) => {
    if (place === 'runner') return [];
    return place === 'node' ? enter : [...enter, 'nsenter', `--target=${place.pid}`, '--net', '--'];
  };

  const run: TestNode['run'] = async (place, argv) => {
    const { code, stdout, stderr } = await sandbox.exec([...at(place), ...argv]);
    if (code !== 0) throw new Error(`Failed to run ${argv.join(' ')}: ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  };
  const peer = (...argv: readonly (string | number)[]) => [
    ...['node', '--no-warnings', '/peer/peer.ts'],
    ...argv.map(String),
  ];
  const control: TestNode['control'] = async (...lines) => {
    await writeFile(join(host, 'lines'), lines.map((line) => `${line}\n`).join(''));
    return (await run('node', peer('control', socket, '/launch/lines'))).split('\n');
  };

  const cni = (command: string, name: string, namespace?: string, link = 'eth0') =>
    run('node', [
      ...['env', `CNI_COMMAND=${command}`, `CNI_CONTAINERID=${name}`, `CNI_IFNAME=${link}`],
      ...[`CNI_NETNS=${netnsOf(name)}`, 'CNI_PATH=/programs'],
      ...(namespace ? [`CNI_ARGS=K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}`] : []),
      ...['sh', '-c', `printf %s '${cniConfig}' | /programs/cni`],
    ]);

  return {
    outside: sandbox.addresses.host,
    run,
    control,
    async addPod(name, namespace, link) {
      const keeper = ['unshare', '--net', 'sh', '-c', 'echo $$; exec sleep infinity'];
      const pid = await background(sandbox, [...enter, ...keeper], /^\d+$/);
      const bind = `: >${netnsOf(name)} && mount --bind /proc/${pid}/ns/net ${netnsOf(name)}`;
      await run('node', ['sh', '-c', bind]);
      const result = await cni('ADD', name, namespace, link);
      const { ips } = JSON.parse(result) as { ips: [{ address: string }] };
      return { name, pid, address: ips[0].address.replace(/\/.*/, '') };
    },
    async removePod({ name, pid }) {
      await cni('DEL', name);
      await run('node', ['umount', netnsOf(name)]);
      await run('node', ['kill', '-KILL', pid]);
    },
    async serve(place, name, ports) {
      await background(sandbox, [...at(place), ...peer('serve', name, ...ports)], /^ready$/);
    },
    async start(place, ...argv) {
      await background(sandbox, [...at(place), ...peer(...argv)], /^ready$/);
    },
    async ask(place, ...argv) {
      return JSON.parse(await run(place, peer(...argv))) as unknown;
    },
    async stats() {
      const [line = ''] = await control('stats');
      return Object.fromEntries(
        line.split(' ').map((field) => {
          const [key = '', value] = field.split('=');
          return [key, Number(value)];
        }),
      );
    },
    gatewayLog: () => run('runner', ['cat', log]),
    async ready(times) {
      // tail ends with the line that grep was waiting for.
      const script = `tail -n +1 -f ${log} | grep -m ${times} Ready | tail -n 1; pkill -x tail; true`;
      await run('runner', ['sh', '-c', script]);
    },
    async [Symbol.asyncDispose]() {
      await sandbox.stop();
      await rm(host, { recursive: true });
    },
  };
}
