import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  renderLaunchFile,
  type Launch,
  type Namespace,
  type Operation,
} from '../../src/namespaces/operations.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../testbed/sandbox.ts';
import { programs } from './build.ts';

/** What the runner in the sandbox sees of the host. */
export const BIN = '/native';
export const SHARE = '/share';
const SCRATCH = '/tmp/scratch';

/** A sandbox with the programs under test, and a directory that host and sandbox share. */
export interface Bench extends AsyncDisposable {
  sandbox: Sandbox;
  /** The host's path of SHARE. */
  dir: string;
}

export async function startBench(options: SandboxOptions): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'native-'));
  const sandbox = await startSandbox({
    ...options,
    mounts: [
      { source: programs, destination: BIN, readonly: true },
      { source: dir, destination: SHARE, readonly: false },
    ],
  });
  // The runner's directory on which a launch mounts what vanishes.
  await sandbox.exec(['mkdir', SCRATCH]);
  return {
    sandbox,
    dir,
    [Symbol.asyncDispose]: async () => {
      await sandbox.stop();
      await rm(dir, { recursive: true });
    },
  };
}

const ALL: readonly Namespace[] = ['mount', 'pid', 'network', 'uts', 'ipc'];
const IDENTITY = { inside: 0, outside: 0, count: 65_536 };

/** All namespaces: a user namespace too where the runner is not privileged. */
export function launchOf(bench: Bench, operations: readonly Operation[]): Launch {
  const privileged = bench.sandbox.profile !== 'stock';
  return {
    namespaces: privileged ? ALL : ['user', ...ALL],
    idMaps: privileged ? [] : [IDENTITY],
    denySetgroups: false,
    steps: [{ id: 'test', reason: 'a test', operations }],
  };
}

const DEVICES = ['null', 'zero', 'random', 'urandom'];
const ROOT = `${SCRATCH}/root`;

/** A copy-on-write root with a /proc and a /dev of its own, entered; lo and a bridge. */
export const privateRoot: readonly Operation[] = [
  ['propagation', '/', 'private'],
  ['mount', 'tmpfs', SCRATCH, 'tmpfs', 'nodev', 'mode=0755'],
  ['directory', `${SCRATCH}/upper`, '0755'],
  ['directory', `${SCRATCH}/work`, '0755'],
  ['directory', ROOT, '0755'],
  [
    'mount',
    'overlay',
    ROOT,
    'overlay',
    '-',
    `lowerdir=/,upperdir=${SCRATCH}/upper,workdir=${SCRATCH}/work`,
  ],
  ['mount', 'proc', `${ROOT}/proc`, 'proc', 'nosuid,noexec,nodev', '-'],
  ['bind', '/sys', `${ROOT}/sys`, 'recursive'],
  ['mount', 'tmpfs', `${ROOT}/dev`, 'tmpfs', 'nosuid', 'mode=0755'],
  ...DEVICES.flatMap((name): Operation[] => [
    ['write', `${ROOT}/dev/${name}`, '0644', ''],
    ['bind', `/dev/${name}`, `${ROOT}/dev/${name}`, '-'],
  ]),
  ['symlink', '/proc/self/fd', `${ROOT}/dev/fd`],
  ['mount', 'tmpfs', `${ROOT}/run`, 'tmpfs', 'nosuid,nodev', 'mode=0755'],
  ...[BIN, SHARE].flatMap((path): Operation[] => [
    ['directory', `${ROOT}${path}`, '0755'],
    ['bind', path, `${ROOT}${path}`, 'recursive'],
  ]),
  ['pivot', ROOT],
  ['propagation', '/', 'shared'],
  ['hostname', 'node'],
  ['link-up', 'lo'],
  ['bridge', 'cni0'],
  ['port', 'cni0', 'node0', '10.42.0.1/24'],
  ['default-route', '10.42.0.254', 'node0'],
  ['environment', 'PATH', '/usr/sbin:/usr/bin:/sbin:/bin'],
];

/** Declares a process of the given policy and command; its log is NAME.log in SHARE. */
export function processOf(
  name: string,
  policy: 'essential' | 'restart' | 'helper',
  ...argv: string[]
): Operation[] {
  return [
    ['process', name, policy, `${SHARE}/${name}.log`],
    ...argv.map((value): Operation => ['argument', name, value]),
  ];
}

/** Declares and starts a process that runs a shell script. */
export function script(
  name: string,
  policy: 'essential' | 'restart' | 'helper',
  text: string,
): Operation[] {
  return [...processOf(name, policy, '/bin/bash', '-c', text), ['start', name]];
}

export interface InitResult {
  code: number;
  /** The status lines' fields. */
  status: string[][];
  stderr: string;
}

/**
 * Runs init with the launch to its end, which is when both it and its child have closed the status
 * pipe. `reactions` are shell commands to run when a status line begins with their key; $init is
 * init's process id. SHARE is emptied first; `addFiles` puts there what the launch needs.
 */
export async function runInit(
  bench: Bench,
  launch: Launch,
  reactions: Readonly<Record<string, string>> = {},
  addFiles: (dir: string) => Promise<void> = () => Promise.resolve(),
): Promise<InitResult> {
  for (const entry of await readdir(bench.dir)) await rm(join(bench.dir, entry));
  await addFiles(bench.dir);
  await writeFile(join(bench.dir, 'launch'), renderLaunchFile(launch));
  const cases = Object.entries(reactions).map(([line, action]) => `'${line}'*) ${action} ;;`);
  const driver = `
    # Not in SHARE: the sandbox would not see that the host removed it.
    status=$(mktemp -u); mkfifo $status
    ${BIN}/init --status-fd 3 launch 3>$status & init=$!
    while IFS= read -r line; do
      printf '%s\\n' "$line"
      case "$line" in ${cases.join(' ')} *) ;; esac
    done <$status
    rm $status
    wait $init
  `;
  const { code, stdout, stderr } = await bench.sandbox.exec(['bash', '-c', driver], { cwd: SHARE });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code, status: lines.map((line) => line.split('\t')), stderr };
}

export async function logOf(bench: Bench, process: string): Promise<string> {
  return readFile(join(bench.dir, `${process}.log`), 'utf8');
}

/** What must be the same after as before: processes, mounts, links, files near the root. */
export async function traces(bench: Bench): Promise<string[]> {
  const lines = async (...argv: string[]): Promise<string[]> =>
    (await bench.sandbox.exec(argv)).stdout.split('\n').sort();
  return [
    // By one shell without a child, so that no process is there that comes and goes.
    ...(await lines('bash', '-c', 'for f in /proc/[0-9]*/comm; do read -r n <$f && echo $n; done')),
    ...(await lines('cat', '/proc/self/mountinfo')),
    ...(await lines('cat', '/proc/net/dev')).map((line) => line.split(':')[0] ?? line),
    ...(await lines(
      ...['find', '/', '/tmp', '/run', '-xdev', '-maxdepth', '3'],
      ...['-not', '-path', '/proc*', '-not', '-path', `${SHARE}*`],
    )),
  ];
}
