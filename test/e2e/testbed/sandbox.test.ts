import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

import { removeLeftovers, startSandbox, type SandboxOptions } from '../../testbed/sandbox.ts';
import { idOf, records } from '../../testbed/state.ts';

const dockerDefault = '00000000a80405fb';
const all = '000001ffffffffff';

describe.each<{ options: SandboxOptions; kernel: string; capabilities: string; cgroup: RegExp }>([
  {
    options: { profile: 'stock' },
    kernel: '4.19.0-gvisor',
    capabilities: dockerDefault,
    cgroup: /\/sys\/fs\/cgroup\/memory cgroup /,
  },
  {
    options: { profile: 'privileged' },
    kernel: '4.19.0-gvisor',
    capabilities: all,
    cgroup: /\/sys\/fs\/cgroup\/memory cgroup /,
  },
  {
    options: { profile: 'stock', cgroup: 'v2' },
    kernel: '4.19.0-gvisor',
    capabilities: dockerDefault,
    cgroup: /\/sys\/fs\/cgroup cgroup2 ro/,
  },
  {
    options: { profile: 'privileged', cgroup: 'v2' },
    kernel: '4.19.0-gvisor',
    capabilities: all,
    cgroup: /\/sys\/fs\/cgroup cgroup2 rw/,
  },
  {
    options: { profile: 'stock', runsc: '2026-02' },
    kernel: '4.4.0',
    capabilities: dockerDefault,
    cgroup: /\/sys\/fs\/cgroup\/memory cgroup /,
  },
  {
    options: { profile: 'privileged', runsc: '2026-02' },
    kernel: '4.4.0',
    capabilities: all,
    cgroup: /\/sys\/fs\/cgroup\/memory cgroup /,
  },
])('$options', ({ options, kernel, capabilities, cgroup }) => {
  test('is the sandbox it claims to be', async () => {
    await using sandbox = await startSandbox(options);
    const run = async (script: string) => (await sandbox.exec(['sh', '-c', script])).stdout.trim();
    expect(await run('uname -r')).toBe(kernel);
    expect(await run('grep CapEff /proc/self/status | cut -f2')).toBe(capabilities);
    expect(await run("cut -d' ' -f2,3,4 /proc/mounts")).toMatch(cgroup);
    expect(await run('hostname')).toBe(sandbox.name);
    expect(await run('node --version')).toBe(process.version);
    expect(await run('curl -sS http://outside.test/x')).toContain('"path":"/x"');
  });
});

test('bare refuses mounts and namespaces', async () => {
  await using sandbox = await startSandbox({ profile: 'bare' });
  for (const argv of [
    ['unshare', '--user', 'true'],
    ['unshare', '--mount', 'true'],
  ]) {
    expect(await sandbox.exec(argv)).toMatchObject({
      code: 1,
      stderr: 'unshare: unshare failed: Operation not permitted\n',
    });
  }
  expect((await sandbox.exec(['uname', '-r'])).stdout).toBe('4.19.0-gvisor\n');
});

test.each(['stock', 'native'] as const)('%s runs as another user', async (profile) => {
  await using sandbox = await startSandbox({ profile, user: { uid: 1001, gid: 1001 } });
  const script = 'id -u; id -G; echo $HOME; grep CapEff /proc/self/status | cut -f2';
  const { stdout } = await sandbox.exec(['sh', '-c', script]);
  expect(stdout).toBe('1001\n1001\n/home/runner\n0000000000000000\n');
});

test('native has this machine as its kernel and a root of its own', async () => {
  await using sandbox = await startSandbox({ profile: 'native' });
  const run = async (script: string) => (await sandbox.exec(['sh', '-c', script])).stdout.trim();
  const { stdout: kernel } = await promisify(execFile)('uname', ['-r']);
  expect(await run('uname -r')).toBe(kernel.trim());
  expect(await run('cat /proc/1/comm')).toBe('bash');
  expect(await run('curl -sS http://outside.test/x')).toContain('"path":"/x"');
  expect(await run('cut -d: -f3 /proc/self/cgroup | sort -u')).toBe('/');
});

describe.each(['stock', 'native'] as const)('exec on %s', (profile) => {
  test('returns code and output, and streams every line of it', async () => {
    await using sandbox = await startSandbox({ profile, env: { A: '1' } });
    const script = 'for i in $(seq 20000); do echo line $i; done; echo $A$B $PWD >&2; exit 7';
    let streamed = '';
    const { code, stdout, stderr } = await sandbox.exec(['sh', '-c', script], {
      env: { B: '2' },
      cwd: '/usr',
      onOutput: (chunk, stream) => {
        if (stream === 'stdout') streamed += chunk.toString();
      },
    });
    expect(code).toBe(7);
    expect(stderr).toBe('12 /usr\n');
    expect(stdout.split('\n')).toHaveLength(20001);
    expect(streamed).toBe(stdout);
  });

  test('kills the command when it is aborted', async () => {
    await using sandbox = await startSandbox({ profile });
    const abort = new AbortController();
    const running = sandbox.exec(['sh', '-c', 'echo started; exec sleep 4321'], {
      signal: abort.signal,
      onOutput: () => {
        abort.abort();
      },
    });
    await expect(running).rejects.toThrow('aborted');
    expect((await sandbox.exec(['ps', '-eo', 'args'])).stdout).not.toContain('4321');
  });

  test('copies directories in and out, and mounts them', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-'));
    try {
      await writeFile(join(dir, 'file'), 'content', { mode: 0o750 });
      await using sandbox = await startSandbox({
        profile,
        mounts: [{ source: dir, destination: '/mounted', readonly: true }],
      });
      await sandbox.copyIn(dir, '/copied');
      const { stdout } = await sandbox.exec(['stat', '-c', '%a %s', '/copied/file']);
      expect(stdout).toBe('750 7\n');
      expect((await sandbox.exec(['cat', '/mounted/file'])).stdout).toBe('content');
      expect((await sandbox.exec(['touch', '/mounted/file'])).code).not.toBe(0);
      await sandbox.copyOut('/copied', join(dir, 'back'));
      expect(await readFile(join(dir, 'back/file'), 'utf8')).toBe('content');
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

/** What is on this machine under a sandbox's kernel-visible name. */
async function traces(id: string): Promise<string[]> {
  const { stdout: cgroups } = await promisify(execFile)('find', ['/sys/fs/cgroup', '-name', id]);
  const { stdout: processes } = await promisify(execFile)('ps', ['-eo', 'args']);
  return [
    ...(existsSync(`/sys/class/net/${id}`) ? ['link'] : []),
    ...((await readdir('/run/netns')).includes(id) ? ['netns'] : []),
    ...((await readFile('/proc/self/mountinfo', 'utf8')).includes(id) ? ['mount'] : []),
    ...cgroups.split('\n').filter(Boolean),
    ...processes.split('\n').filter((line) => line.includes(id)),
  ];
}

test.each(['stock', 'privileged', 'native'] as const)(
  'stop leaves nothing of %s',
  async (profile) => {
    const sandbox = await startSandbox({ profile });
    const record = (await records()).find(({ name }) => name === sandbox.name);
    if (!record) throw new Error('no record of the sandbox');
    expect(await traces(idOf(record))).not.toEqual([]);
    await sandbox.stop();
    expect(await traces(idOf(record))).toEqual([]);
    expect(existsSync(record.data)).toBe(false);
    expect((await records()).map(({ name }) => name)).not.toContain(sandbox.name);
  },
);

test('what a killed run leaves behind is removed by the next', async () => {
  const testbed = join(import.meta.dirname, '../../testbed/sandbox.ts');
  const script = `const { startSandbox } = await import(${JSON.stringify(testbed)});
    await startSandbox({ name: 'crashed' });
    process.kill(process.pid, 'SIGKILL');`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  await expect(run).rejects.toMatchObject({ signal: 'SIGKILL' });
  const record = (await records()).find(({ name }) => name === 'crashed');
  if (!record) throw new Error('no record of the sandbox');
  expect(await traces(idOf(record))).not.toEqual([]);
  await removeLeftovers();
  expect(await traces(idOf(record))).toEqual([]);
  expect(existsSync(record.data)).toBe(false);
});

test('many start, run and stop at once', async () => {
  const names = await Promise.all(
    Array.from({ length: 6 }, async () => {
      await using sandbox = await startSandbox();
      await Promise.all([removeLeftovers(), sandbox.exec(['true'])]);
      return (await sandbox.exec(['hostname'])).stdout.trim();
    }),
  );
  expect(new Set(names).size).toBe(6);
});
