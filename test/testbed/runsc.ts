import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { command, exitOf, spawnCommand } from './command.ts';
import { hostDevices } from './devices.ts';
import { unmount } from './mounts.ts';
import { gone, identify } from './processes.ts';
import type { Runtime } from './runtime.ts';
import { containerSpec, processSpec, type ContainerProfile } from './spec.ts';
import { idOf, recordDir, type SandboxRecord } from './state.ts';
import { tool } from './tools.ts';

const rootOf = (record: SandboxRecord) => join(recordDir(record), 'runsc');

/**
 * runsc and the global flags every call needs. A stock Docker passes `--root`, `--log` and
 * `--log-format`, and nothing more.
 */
function runscCommand(record: SandboxRecord): string[] {
  // What Docker's runtimeArgs need for a privileged container to hold CAP_NET_RAW. `runsc exec`
  // needs it again, or its process lacks it.
  const profileFlags: Partial<Record<SandboxRecord['profile'], string[]>> = {
    privileged: ['--net-raw'],
    bare: ['--oci-seccomp'],
  };
  return [
    ...[record.runsc, '--root', rootOf(record), ...(profileFlags[record.profile] ?? [])],
    ...(record.flags ?? []),
  ];
}

/** What Docker writes into every configuration; runsc ignores it unless run with --oci-seccomp. */
async function dockerSeccomp(spec: object): Promise<unknown> {
  const input = JSON.stringify(spec);
  return JSON.parse(await command([await tool('seccomp-profile')], { input }));
}

/**
 * gVisor, called as containerd's shim calls it for Docker. Writes stay in runsc's default
 * `--overlay2=root:self` (above the root's own overlay, as under Docker's overlay2 driver).
 */
export const runsc: Runtime = {
  async start(record, { cgroup, ...options }) {
    const bundle = join(record.data, 'bundle');
    await mkdir(bundle);
    const profile = record.profile as ContainerProfile;
    const spec = containerSpec({
      ...options,
      profile,
      hostname: record.name,
      cgroupsPath: `/k3s-in-gvisor/${idOf(record)}`,
      // bash reaps what is orphaned, as the shell script does that a runner image starts with.
      args: ['/bin/bash', '-c', 'sleep infinity & wait'],
      env: record.env,
      user: record.user,
      hostDevices: profile === 'privileged' ? await hostDevices() : [],
    });
    const linux =
      profile === 'bare' ? { ...spec.linux, seccomp: await dockerSeccomp(spec) } : spec.linux;
    await writeFile(join(bundle, 'config.json'), JSON.stringify({ ...spec, linux }));
    const [pidFile, log] = [join(bundle, 'pid'), join(bundle, 'runsc.log')];
    await using output = await open(join(bundle, 'output'), 'a');
    const argv = [
      ...runscCommand(record),
      // Not Docker's default: the way to a gVisor whose containers see cgroup v2.
      ...(cgroup === 'v2' ? ['--in-sandbox-cgroup=v2'] : []),
      ...['--log', log, 'run', '--detach', '--pid-file', pidFile],
      ...['--bundle', bundle, idOf(record)],
    ];
    const code = await exitOf(spawnCommand(argv, ['ignore', output.fd, output.fd]));
    if (code !== 0) {
      const said = await readFile(join(bundle, 'output'), 'utf8');
      // A flag it does not know ends it before it opens its log.
      const logged = existsSync(log) ? await readFile(log, 'utf8') : '';
      throw new Error(`${argv.join(' ')} ended with ${code}\n${said}${logged}`);
    }
    return identify(Number(await readFile(pidFile, 'utf8')));
  },

  async execArgv(record, { argv, env, cwd, dir, user }) {
    const processFile = join(dir, 'process.json');
    const profile = record.profile as ContainerProfile;
    await writeFile(
      processFile,
      JSON.stringify(processSpec({ profile, args: argv, env, cwd, user })),
    );
    return [
      ...runscCommand(record),
      ...['exec', '--process', processFile, '--internal-pid-file', join(dir, 'pid'), idOf(record)],
    ];
  },

  async killExec(record, { dir }) {
    const pid = await readFile(join(dir, 'pid'), 'utf8');
    await command([...runscCommand(record), 'kill', '--pid', pid, idOf(record), 'KILL']);
  },

  async destroy(record) {
    if (!existsSync(rootOf(record))) return;
    await command([...runscCommand(record), 'delete', '--force', idOf(record)]);
    if (record.main) await gone(record.main);
    // runsc keeps an empty network namespace mounted there, for gofers.
    await unmount(join(rootOf(record), 'null-netns'));
    await rm(rootOf(record), { recursive: true });
  },
};
