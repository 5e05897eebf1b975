import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { startDaemon } from './daemon.ts';
import { testbedDir } from './paths.ts';
import { childrenOf, gone, identify, isAlive, kill } from './processes.ts';
import type { Runtime } from './runtime.ts';
import { idOf, type SandboxRecord } from './state.ts';

const hostCgroups = '/sys/fs/cgroup';

interface Cgroup {
  /** A v1 controller, or `unified` for cgroup v2. */
  controller: string;
  dir: string;
}

/**
 * The sandbox's place without gVisor: fresh namespaces of this machine's own kernel, all
 * capabilities, the same root file system.
 */
export const native: Runtime = {
  async start(record, options) {
    const cgroups = await createCgroups(record);
    return startDaemon(
      [
        // Before unshare: a cgroup namespace starts where its maker is.
        ...inCgroups(cgroups),
        ...['nsenter', `--net=${options.netns}`],
        ...['unshare', '--mount', '--uts', '--ipc', '--pid', '--cgroup', '--fork', '--kill-child'],
        ...[join(testbedDir, 'native-init'), options.rootfs, record.name, options.etc],
        cgroups.map(({ controller }) => controller).join(' '),
        ...options.mounts.flatMap((mount) => [
          ...[mount.source, mount.destination, mount.readonly ? 'ro' : 'rw'],
        ]),
      ],
      join(record.data, 'native.log'),
    );
  },

  async execArgv(record, { argv, env, cwd, user: { uid, gid } }) {
    return [
      ...inCgroups(await cgroupsOf(record)),
      ...['nsenter', `--target=${firstProcess(record)}`, '--all', '--root'],
      // The capabilities are given up with the user, as an exec by the container's user would.
      ...[`--setuid=${uid}`, `--setgid=${gid}`],
      // nsenter's --wd is looked up before the root is changed.
      ...['--', 'env', '-i', `--chdir=${cwd}`, `HOME=${await homeOf(record)}`, ...env, ...argv],
    ];
  },

  killExec(_record, _request, pid) {
    for (const child of childrenOf(pid)) process.kill(child, 'SIGKILL');
    return Promise.resolve();
  },

  async destroy(record) {
    if (record.main && isAlive(record.main)) {
      // The first process of a pid namespace takes all others with it, and unshare ends after it.
      await kill(identify(firstProcess(record)));
      await gone(record.main);
    }
    for (const { dir } of await cgroupsOf(record)) await removeCgroup(dir);
  },
};

/** As runsc and runc do, when the environment does not say. */
async function homeOf({ data, user }: SandboxRecord): Promise<string> {
  const passwd = await readFile(join(data, 'root/etc/passwd'), 'utf8');
  const entries = passwd.split('\n').map((line) => line.split(':'));
  return entries.find(([, , uid]) => uid === String(user.uid))?.[5] ?? '/';
}

/** Host id of the process that is 1 inside: the child of unshare. */
function firstProcess({ name, main }: SandboxRecord): number {
  const [child] = main && isAlive(main) ? childrenOf(main.pid) : [];
  if (child === undefined) throw new Error(`Failed to enter sandbox ${name}: it has ended`);
  return child;
}

/** Its cgroup in each mounted hierarchy that kubelet or runc wants. */
async function cgroupsOf(record: SandboxRecord): Promise<Cgroup[]> {
  const place = join('k3s-in-gvisor', idOf(record));
  if (existsSync(join(hostCgroups, 'cgroup.controllers'))) {
    return [{ controller: 'unified', dir: join(hostCgroups, place) }];
  }
  const wanted = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];
  const mounted = await readdir(hostCgroups);
  return wanted
    .filter((controller) => mounted.includes(controller))
    .map((controller) => ({ controller, dir: join(hostCgroups, controller, place) }));
}

async function createCgroups(record: SandboxRecord) {
  const cgroups = await cgroupsOf(record);
  for (const { controller, dir } of cgroups) {
    await mkdir(dir, { recursive: true });
    // A new cpuset is empty and takes no process until it is told its processors and memory.
    if (controller !== 'cpuset') continue;
    for (const place of [join(dir, '..'), dir]) {
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        await writeFile(join(place, file), await readFile(join(place, '..', file)));
      }
    }
  }
  return cgroups;
}

/** A command that enters the cgroups and becomes the command that follows. */
function inCgroups(cgroups: readonly Cgroup[]): string[] {
  const script = 'set -e; for dir in $1; do echo $$ >"$dir/cgroup.procs"; done; shift; exec "$@"';
  return ['sh', '-c', script, 'sh', cgroups.map(({ dir }) => dir).join(' ')];
}

/** Children first: only an empty cgroup can be removed. */
async function removeCgroup(dir: string): Promise<void> {
  if (!existsSync(dir)) return;
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(join(dir, entry.name));
  }
  await rmdir(dir);
}
