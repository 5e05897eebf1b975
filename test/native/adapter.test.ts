import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { containerAdapter } from '../../src/plan/container-adapter.ts';
import type { SandboxOptions } from '../testbed/sandbox.ts';
import {
  BIN,
  launchOf,
  logOf,
  privateRoot,
  processOf,
  runInit,
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
];

const ADAPTER = '/run/k3s-in-gvisor/adapter/runc';
const STATE = '/run/data/agent/adapter';
const PORT_RANGE = 'net/ipv4/ip_local_port_range';

/**
 * Stands for runc: says how it was called, and for a create does what matters here, as runc does it:
 * a mount namespace with a fresh /proc in the container's root, the hooks run in that root, and then
 * the container's process, a shell script, with the root as its working directory.
 */
const FAKE_RUNC = `#!/usr/local/bin/node
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const argv = process.argv.slice(2);
const inside = process.env.INSIDE;
if (inside !== undefined) {
  const { hooks, process: { args } } = JSON.parse(readFileSync(inside + '/config.json'));
  const run = (file, args, input) => {
    const { status } = spawnSync(file, args, { cwd: inside + '/rootfs', input, stdio: ['pipe', 1, 2] });
    if (status !== 0) process.exit(9);
  };
  run('mount', ['-t', 'proc', 'proc', inside + '/rootfs/proc']);
  for (const { path, args } of hooks?.createContainer ?? []) run(path, args.slice(1), '{}');
  run('sh', ['-c', args[0]]);
} else if (argv.includes('create')) {
  const env = { ...process.env, INSIDE: argv[argv.indexOf('--bundle') + 1] };
  process.exitCode = spawnSync('unshare', ['--mount', process.argv[1]], { env, stdio: 'inherit' }).status;
} else console.log(JSON.stringify(argv));
`;

const bash = (text: string): Command => ({ argv: ['bash', '-c', text] });
const adapter = (...args: string[]): Command => ({
  argv: [ADAPTER, '--log', '/run/log.json', '--log-format', 'json', ...args],
});

/** A bundle of the pod's sandbox `s` or of another of its containers. */
function bundle(id: string, script: string, changes: Readonly<Record<string, unknown>>): Command {
  const config = {
    process: { args: [script] },
    linux: changes,
    annotations: {
      'io.kubernetes.cri.sandbox-id': 's',
      'io.kubernetes.cri.container-type': id === 's' ? 'sandbox' : 'container',
      'io.kubernetes.cri.sandbox-namespace': 'default',
      'io.kubernetes.cri.sandbox-name': 'web',
    },
  };
  return {
    argv: ['bash', '-c', `mkdir -p /run/${id}/rootfs/proc && cat > /run/${id}/config.json`],
    stdin: JSON.stringify(config),
  };
}

const create = (id: string): Command => adapter('create', '--bundle', `/run/${id}`, id);
const READ_ONLY = { readonlyPaths: ['/proc/sys'] };

describe.each(profiles)('adapter in %o', (options) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench(options);
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  /** Runs the commands one after the other on a node with the adapter. */
  async function run(...commands: Command[]): Promise<Outcome[]> {
    const before = await traces(bench);
    const { operations } = containerAdapter(
      ['masked-directories', 'pod-sysctls', 'private-sysctls'],
      { native: BIN, logs: '/run' },
      '/run/data',
    );
    const { code } = await runInit(
      bench,
      launchOf(bench, [
        ...privateRoot,
        ...operations,
        ['directory', '/run/bin', '0755'],
        ['write', '/run/bin/runc', '0755', FAKE_RUNC],
        ['environment', 'PATH', '/run/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        ...processOf('steps', 'essential', '/usr/local/bin/node'),
        ['argument', 'steps', `${SHARE}/steps.ts`],
        ['argument', 'steps', `${SHARE}/groups.json`],
        ['argument', 'steps', `${SHARE}/outcomes.json`],
        ['start', 'steps'],
      ]),
      {},
      async (dir) => {
        await copyFile(join(import.meta.dirname, 'steps.ts'), join(dir, 'steps.ts'));
        await writeFile(
          join(dir, 'groups.json'),
          JSON.stringify(commands.map((command) => [command])),
        );
      },
    );
    if (code !== 0) throw new Error(await logOf(bench, 'steps'));
    expect(await traces(bench)).toEqual(before);
    const outcomes = JSON.parse(
      await readFile(join(bench.dir, 'outcomes.json'), 'utf8'),
    ) as Outcome[][];
    return outcomes.flat();
  }

  test('hands every other command to runc as it is', async () => {
    const [list, remove] = await run(
      adapter('list', '--format', 'json'),
      adapter('delete', '--force', 'c'),
    );
    const log = ['--log', '/run/log.json', '--log-format', 'json'];
    expect(JSON.parse(list?.stdout ?? '')).toEqual([...log, 'list', '--format', 'json']);
    expect(JSON.parse(remove?.stdout ?? '')).toEqual([...log, 'delete', '--force', 'c']);
  });

  test("shows a pod's sysctls to its containers, and to nobody else", async () => {
    const script = `cd proc/sys; cat net/ipv4/ip_unprivileged_port_start ${PORT_RANGE} fs/file-max
      echo $(cat kernel/ostype)`;
    const sysctl = {
      'net.ipv4.ip_unprivileged_port_start': '7',
      'net.ipv4.ip_local_port_range': '20000 30000',
    };
    const outcomes = await run(
      bash(`cat /proc/sys/${PORT_RANGE}`),
      bundle('s', 'echo pause', { sysctl }),
      create('s'),
      bash('grep -o sysctl..{} /run/s/config.json; cut -d" " -f2- /run/adapter.log'),
      bundle('c', script, READ_ONLY),
      create('c'),
      bash(`cat /proc/sys/${PORT_RANGE}`),
      adapter('delete', 's'),
      bash(`ls ${STATE}`),
    );
    expect(outcomes[2]).toMatchObject({ code: 0, stdout: 'pause\n' });
    expect(outcomes[3]?.stdout.split('\n').slice(0, 2)).toEqual([
      'sysctl":{}',
      'pod default/web: sysctl net.ipv4.ip_unprivileged_port_start=7 is shown and not set: every user may listen on every port',
    ]);
    expect(outcomes[5]).toMatchObject({
      code: 0,
      stdout: '7\n20000 30000\n9223372036854775807\nLinux\n',
    });
    expect(outcomes[6]?.stdout).toBe(outcomes[0]?.stdout);
    expect(outcomes[8]?.stdout).toBe('');
  });

  test('lets a container that may write sysctls write its own', async () => {
    const script = `cd proc/sys; set -e; echo 262144 > vm/max_map_count
      echo '1024 2048' > ${PORT_RANGE}; echo 5 > vm/swappiness
      cat vm/max_map_count ${PORT_RANGE} vm/swappiness fs/file-max`;
    const outcomes = await run(
      bash(`cat /proc/sys/${PORT_RANGE}`),
      bundle('c', script, {}),
      create('c'),
      bash(`cat /proc/sys/${PORT_RANGE}; ls ${STATE}`),
      bundle('d', 'cat proc/sys/vm/swappiness', {}),
      create('d'),
      adapter('delete', 'c'),
      adapter('delete', 'd'),
      bash(`ls ${STATE}`),
    );
    expect(outcomes[2]).toMatchObject({
      code: 0,
      stderr: '',
      stdout: '262144\n1024 2048\n5\n9223372036854775807\n',
    });
    expect(outcomes[3]?.stdout).toBe(`${outcomes[0]?.stdout}c\n`);
    expect(outcomes[5]?.stdout).toBe('60\n');
    expect(outcomes[8]?.stdout).toBe('');
  });

  test('refuses what no pod can have, where containerd looks for the reason', async () => {
    const [, refused, log] = await run(
      bundle('s', 'echo pause', { sysctl: { 'net.ipv4.ip_forward': '1' } }),
      create('s'),
      bash('cat /run/log.json'),
    );
    const message =
      'The pod asks for sysctl net.ipv4.ip_forward=1 in its securityContext, which gVisor cannot give to a pod: take it out, or run this chart on another kind of node';
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: `${message}\n` });
    expect(JSON.parse(log?.stdout ?? '')).toEqual({ level: 'error', msg: message });
  });

  test('says that it cannot read what it needs', async () => {
    const [, missing, , bad] = await run(
      bash('mkdir /run/none'),
      create('none'),
      bash('echo "{" > /run/none/config.json'),
      create('none'),
    );
    expect(missing?.stderr).toMatch(/Failed to read \/run\/none\/config\.json: No such file/);
    expect(bad?.stderr).toMatch(/Bad JSON at byte 2/);
  });
});
