import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { command } from '../testbed/command.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../testbed/sandbox.ts';
import { programs } from './build.ts';

const STARTS = 200;

/** Where the native programs, and the Go program, are in the sandbox. */
const BIN = '/native';
const GO = '/go';
const INTERCEPTOR = `${BIN}/interceptor`;
const FORMS = `${BIN}/test/interceptor/forms_test`;

/** What kubelet's setupKernelTunables wants, and cannot have of any gVisor so far. */
const KUBELET_SYSCTLS = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

const profiles: SandboxOptions[] = [
  { profile: 'bare' },
  { profile: 'stock' },
  { profile: 'privileged' },
  { profile: 'stock', runsc: '2026-02' },
];

let goDir: string;
beforeAll(async () => {
  goDir = await mkdtemp(join(tmpdir(), 'goroutines-'));
  await command(['go', 'build', '-o', goDir, '.'], {
    cwd: join(import.meta.dirname, 'interceptor', 'goroutines'),
    env: { ...process.env, CGO_ENABLED: '0' },
  });
});
afterAll(async () => {
  await rm(goDir, { recursive: true });
});

describe.each(profiles)('interceptor in %o', (options) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({
      ...options,
      mounts: [
        { source: programs, destination: BIN, readonly: true },
        { source: goDir, destination: GO, readonly: true },
      ],
    });
  });
  afterAll(async () => {
    await sandbox.stop();
  });

  async function shell(script: string): Promise<string> {
    const { code, stdout, stderr } = await sandbox.exec(['sh', '-c', script]);
    expect({ code, stderr }, script).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  /** What must not grow: processes, and what temporary directories hold. */
  const traces = () => shell('ps -eo args= | grep -v -e ^ps -e ^grep -e ^sh | sort; ls /tmp');

  test('answers every form of every call', async () => {
    const { code, stdout } = await sandbox.exec([FORMS]);

    expect(stdout.split('\n').filter((line) => /^# WRONG|^not ok/.test(line))).toEqual([]);
    expect(code).toBe(0);
  });

  test.each(['auto', 'syscall'])('answers what kubelet asks for, mode %s', async (mode) => {
    const files = Object.keys(KUBELET_SYSCTLS).map((path) => `/proc/sys/${path}`);

    const values = await shell(`${INTERCEPTOR} --mode ${mode} -- cat ${files.join(' ')}`);

    expect(values.trimEnd().split('\n')).toEqual(Object.values(KUBELET_SYSCTLS));
    await shell(`${INTERCEPTOR} --mode ${mode} -- cat /dev/kmsg`);
    await shell(
      `${INTERCEPTOR} --mode ${mode} -- sh -c '! grep -v " shared:" /proc/self/mountinfo'`,
    );
  });

  test('keeps what is written to a tree it was given', async () => {
    const run = `${INTERCEPTOR} --root /tmp/tree -- sh -c`;

    const read = await shell(`mkdir /tmp/tree; ${run} 'echo 3 > /proc/sys/kernel/panic'
      ${run} 'cat /proc/sys/kernel/panic /proc/sys/kernel/ostype'; rm -r /tmp/tree`);

    // gVisor's ends without a newline.
    expect(read).toBe(`3\n${await shell('cat /proc/sys/kernel/ostype')}`);
  });

  test('stops for seccomp in the order it has measured', async () => {
    const stats = await shell(
      `${INTERCEPTOR} --stats /tmp/stats -- true; cat /tmp/stats; rm /tmp/stats`,
    );

    expect(stats).toContain('mode\tseccomp-first\n');
    expect(stats).toContain('failed\t0\n');
  });

  test('hurts no small stack', async () => {
    const value = 'from the tree\n';
    await shell(`mkdir -p /tmp/tree/etc; printf '${value}' > /tmp/tree/etc/answered`);
    const run = [INTERCEPTOR, '--root', '/tmp/tree'];

    for (const scope of ['all', 'fixed']) {
      const { code, stdout, stderr } = await sandbox.exec([
        ...[...run, '--scope', scope, '--'],
        ...[`${GO}/goroutines`, '/etc/answered', value],
      ]);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    }
    await shell('rm -r /tmp/tree');
  });

  test('refuses a scope that would see nothing', async () => {
    const { code, stderr } = await sandbox.exec([INTERCEPTOR, '--scope', 'fixed', '--', 'cat']);

    expect(code).toBe(1);
    expect(stderr).toContain(
      '--scope fixed cannot see the calls of cat: it is position-independent',
    );
  });

  test(`starts ${STARTS} times in a row, and leaves nothing`, async () => {
    const before = await traces();

    const output = await shell(`for i in $(seq ${STARTS}); do
      timeout 60 ${INTERCEPTOR} -- sh -c 'cat /proc/sys/kernel/panic & wait; sleep 1000 & exit 0' \
        || exit 1
    done`);

    expect(output).toBe('10\n'.repeat(STARTS));
    expect(await traces()).toEqual(before);
  });
});
