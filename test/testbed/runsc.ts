import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { command } from './command.ts';
import { containerSpec, type BindMount } from './spec.ts';
import { idOf, recordDir, type SandboxRecord } from './state.ts';

export interface StartOptions {
  rootfs: string;
  etc: string;
  netns: string;
  mounts: readonly BindMount[];
  cgroup: 'v1' | 'v2';
}

/**
 * runsc and its global flags. A stock Docker passes `--root`, `--log` and `--log-format`, and
 * nothing more.
 */
export function runscCommand(record: SandboxRecord): string[] {
  const profileFlags = {
    stock: [],
    // What the installation guide adds to Docker's runtimeArgs for containers that run containers.
    // `exec` needs it again, or its process lacks CAP_NET_RAW.
    privileged: ['--net-raw'],
    native: [],
  }[record.profile];
  return [record.runsc!, '--root', join(recordDir(record), 'runsc'), ...profileFlags];
}

/** Starts the container and returns the id of its sandbox process on the host. */
export async function start(record: SandboxRecord, options: StartOptions): Promise<number> {
  const bundle = join(record.data, 'bundle');
  await mkdir(bundle);
  const spec = containerSpec({
    ...options,
    profile: record.profile as 'stock' | 'privileged',
    hostname: record.name,
    cgroupsPath: `/k3s-in-gvisor/${idOf(record)}`,
    // bash reaps what is orphaned, as the shell script does that a runner image starts with.
    args: ['/bin/bash', '-c', 'sleep infinity & wait'],
    env: record.env,
    user: record.user,
    hostDevices: [],
  });
  await writeFile(join(bundle, 'config.json'), JSON.stringify(spec));
  const pidFile = join(bundle, 'pid');
  const log = await open(join(bundle, 'output'), 'a');
  const logFile = join(bundle, 'runsc.log');
  const flags = options.cgroup === 'v2' ? ['--in-sandbox-cgroup=v2'] : [];
  const argv = [
    ...runscCommand(record),
    ...flags,
    ...['--log', logFile, 'run', '--detach', '--pid-file', pidFile],
    ...['--bundle', bundle, idOf(record)],
  ];
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', log.fd, log.fd] });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  await log.close();
  if (code !== 0) {
    const said = await readFile(join(bundle, 'output'), 'utf8');
    throw new Error(`runsc run ended with ${code}\n${said}${await readFile(logFile, 'utf8')}`);
  }
  return Number(await readFile(pidFile, 'utf8'));
}

/** Kills everything of the container; nothing to kill is no error. */
export async function destroy(record: SandboxRecord): Promise<void> {
  const root = join(recordDir(record), 'runsc');
  if (!existsSync(root)) return;
  await command([...runscCommand(record), 'delete', '--force', idOf(record)]);
  await rm(root, { recursive: true });
}
