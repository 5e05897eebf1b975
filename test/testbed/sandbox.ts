import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { command } from './command.ts';
import { startDaemon } from './daemon.ts';
import { copyIn, copyOut, runExec, type ExecOptions, type ExecResult } from './exec.ts';
import { locked } from './lock.ts';
import { unmount } from './mounts.ts';
import { addressesOf, createNetwork, netnsPath, removeNetwork, type Addresses } from './network.ts';
import { runDir } from './paths.ts';
import { identify, kill } from './processes.ts';
import { rootfs } from './rootfs.ts';
import { runtimeOf } from './runtime.ts';
import type { BindMount, User } from './spec.ts';
import {
  claim,
  idOf,
  inUse,
  recordDir,
  records,
  save,
  type Profile,
  type SandboxRecord,
} from './state.ts';
import { tool } from './tools.ts';

export interface SandboxOptions {
  /** What `docker run` would have been given: nothing, `--privileged`, or no gVisor at all. */
  profile?: Profile;
  /** The cgroup version gVisor shows inside; 2026-02 has v1 only. */
  cgroup?: 'v1' | 'v2';
  runsc?: 'current' | '2026-02';
  name?: string;
  user?: User;
  /** Debian packages beyond those of a runner's image. */
  packages?: readonly string[];
  mounts?: readonly BindMount[];
  /**
   * Where a tmpfs is mounted that any user may write to: an emptyDir of medium Memory. An option may follow,
   * as Docker's --tmpfs has it: `/small:size=1m`.
   */
  tmpfs?: readonly string[];
  /** Bytes it may use, as `docker run --memory` limits them. */
  memory?: number;
  /** Global flags of runsc's that a stock Docker does not pass, such as --allow-suid. */
  flags?: readonly string[];
  /** Changes the image before the start, as lines of a Dockerfile would; given its root on the host. */
  build?: (root: string) => Promise<void>;
  env?: Readonly<Record<string, string>>;
  /** Image archives that the registry outside, `registry.test:5000`, starts with. */
  registry?: readonly string[];
  /** Leave it running when this process ends; `stop` by its name then ends it. */
  keep?: boolean;
}

export interface Sandbox extends AsyncDisposable {
  name: string;
  profile: Profile;
  addresses: Addresses;
  /** Runs a command as `docker exec` does. A code other than 0 is a result, not an error. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Copies a host directory's content, or one file, into a directory of the sandbox. */
  copyIn(source: string, directory: string): Promise<void>;
  /** Copies a directory's content out of the sandbox into a host directory. */
  copyOut(directory: string, target: string): Promise<void>;
  stop(): Promise<void>;
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  if (options.runsc === '2026-02' && options.cgroup === 'v2') {
    throw new Error('Failed to start a sandbox: runsc 2026-02 has cgroup v1 only');
  }
  await removeLeftovers();
  const profile = options.profile ?? 'stock';
  const base = await rootfs(options.packages);
  const binary = await tool(options.runsc === '2026-02' ? 'runsc-2026-02' : 'runsc');
  const { name = `${profile}-${randomBytes(4).toString('hex')}` } = options;
  if ((await records()).some((record) => record.name === name)) {
    throw new Error(`Failed to start sandbox ${name}: one with this name is running`);
  }
  const record = await claim({
    name,
    profile,
    user: options.user ?? { uid: 0, gid: 0 },
    flags: options.flags ?? [],
    env: Object.entries({ PATH: path, HOSTNAME: name, ...options.env }).map((kv) => kv.join('=')),
    owner: identify(process.pid),
    runsc: binary,
  });
  try {
    await createNetwork(record.index);
    record.outside = await startOutside(record, options.registry ?? []);
    await save(record);
    const root = await mountRoot(record, base);
    await options.build?.(root);
    await writeEtc(record);
    record.main = await runtimeOf(profile).start(record, {
      rootfs: root,
      etc: etcDir(record),
      netns: netnsPath(idOf(record)),
      mounts: options.mounts ?? [],
      tmpfs: options.tmpfs ?? [],
      memory: options.memory,
      cgroup: options.cgroup ?? 'v1',
    });
    if (options.keep) delete record.owner;
    await save(record);
  } catch (error) {
    await remove(record);
    throw new Error(`Failed to start sandbox ${name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return sandbox(record);
}

/** A running sandbox by its name, from whatever process started it. */
export async function findSandbox(name: string): Promise<Sandbox> {
  const record = (await records()).find((record) => record.name === name);
  if (!record) {
    throw new Error(`Failed to find sandbox ${name}: none of that name (see "sandbox list")`);
  }
  return sandbox(record);
}

/** Removes what sandboxes left behind whose owner, or whose own process, is gone. */
export async function removeLeftovers(): Promise<void> {
  for (const record of await records()) {
    if (!inUse(record)) await remove(record);
  }
}

function sandbox(record: SandboxRecord): Sandbox {
  const exec: Sandbox['exec'] = (argv, options = {}) => runExec(record, argv, options);
  return {
    name: record.name,
    profile: record.profile,
    addresses: addressesOf(record.index),
    exec,
    copyIn: (source, directory) => copyIn(record, source, directory),
    copyOut: (directory, target) => copyOut(record, directory, target),
    stop: () => remove(record),
    [Symbol.asyncDispose]: () => remove(record),
  };
}

const rootDir = (record: SandboxRecord) => join(record.data, 'root');
const etcDir = (record: SandboxRecord) => join(record.data, 'etc');

/** The servers on the host's end of the sandbox's network; see tools/outside. */
async function startOutside(record: SandboxRecord, archives: readonly string[]) {
  const { host } = addressesOf(record.index);
  const argv = [await tool('outside'), '-address', host, ...archives];
  return startDaemon(argv, join(recordDir(record), 'outside.log'));
}

/** An overlay on the shared root file system, as Docker's overlay2 driver makes one. */
async function mountRoot(record: SandboxRecord, lower: string): Promise<string> {
  const [upper, work, root] = [
    join(record.data, 'upper'),
    join(record.data, 'work'),
    rootDir(record),
  ];
  for (const dir of [upper, work, root]) await mkdir(dir, { recursive: true });
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await command(['mount', '-t', 'overlay', '-o', options, idOf(record), root]);
  return root;
}

async function writeEtc(record: SandboxRecord): Promise<void> {
  const { sandbox, host } = addressesOf(record.index);
  const dir = etcDir(record);
  await mkdir(dir);
  await writeFile(join(dir, 'resolv.conf'), `nameserver ${host}\n`);
  await writeFile(join(dir, 'hostname'), `${record.name}\n`);
  const hosts = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    `${sandbox}\t${record.name}`,
  ];
  await writeFile(join(dir, 'hosts'), hosts.map((line) => `${line}\n`).join(''));
}

/** Ends the sandbox and removes every trace; what is already gone is no error. */
async function remove(record: SandboxRecord): Promise<void> {
  // One at a time: a sandbox that is being stopped looks like a leftover to others.
  await locked(join(runDir, 'removal.lock'), async () => {
    await runtimeOf(record.profile).destroy(record);
    if (record.outside) await kill(record.outside);
    await removeNetwork(record.index);
    await unmount(rootDir(record));
    await rm(record.data, { recursive: true, force: true });
    await rm(recordDir(record), { recursive: true, force: true });
  });
}
