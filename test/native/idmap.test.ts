import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Launch, Operation } from '../../src/namespaces/operations.ts';
import { command } from '../testbed/command.ts';
import { addIdMapper, IDMAP, RUNNER } from '../testbed/runner-image.ts';
import type { SandboxOptions } from '../testbed/sandbox.ts';
import { programs } from './build.ts';
import {
  BIN,
  launchOf,
  logOf,
  privateRoot,
  runInit,
  script,
  SHARE,
  startBench,
  traces,
  type Bench,
} from './launch.ts';

const build = addIdMapper(join(programs, 'idmap'));

const profiles: SandboxOptions[] = [
  { profile: 'stock' },
  { profile: 'stock', runsc: '2026-02' },
  { profile: 'stock', cgroup: 'v2' },
];

describe.each(profiles)('idmap for user 1001 in %o', (options) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench({ ...options, user: RUNNER, build });
    // The shared directory is the host's root's.
    await command(['chmod', '0777', bench.dir]);
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  const bash = (text: string, env = {}): ReturnType<Bench['sandbox']['exec']> =>
    bench.sandbox.exec(['bash', '-c', text], { env });

  const launch = (operations: readonly Operation[], mapper: readonly string[]): Launch => ({
    ...launchOf(bench, operations),
    idMaps: [],
    mapper,
  });

  test('gives init every id; what root makes inside is the runner’s', async () => {
    const before = await traces(bench);
    const result = await runInit(
      bench,
      launch(
        [
          ...privateRoot,
          ...script(
            'main',
            'essential',
            `id -u; id -g; cat /proc/self/uid_map | tr -s ' '
             cd /etc && touch f && for id in 1 999 1001 65535 172761424; do
               chown $id:$id f && stat -c %u:%g f
             done
             touch ${SHARE}/roots; exit 7`,
          ),
        ],
        [IDMAP],
      ),
    );
    expect(result.code).toBe(7);
    expect(
      (await logOf(bench, 'main'))
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([
      ...['0', '0', '0 1001 1', '1 1 1000', '1001 0 1', '1002 1002 4294966292'],
      ...['1:1', '999:999', '1001:1001', '65535:65535', '172761424:172761424'],
    ]);
    const { stdout } = await bash(`stat -c %U:%G ${SHARE}/roots`);
    expect(stdout).toBe('runner:runner\n');
    expect(await traces(bench)).toEqual(before);
  });

  // The v2 tree is inherited read-only.
  if (options.cgroup !== 'v2')
    test('makes and removes a cgroup in the tree that belongs to root', async () => {
      const { code } = await runInit(
        bench,
        launch(script('main', 'essential', 'mkdir -p /sys/fs/cgroup/cpu/x/y'), [IDMAP]),
      );
      expect(code).toBe(0);
      const group = '/sys/fs/cgroup/cpu/x';
      // Its parent is root's, so the runner itself cannot remove what it owns.
      expect((await bash(`rmdir ${group}/y && rmdir ${group}`)).code).toBe(1);
      for (const path of [group, group]) {
        const removal = launch([['remove-group', path]], [IDMAP]);
        expect(await runInit(bench, { ...removal, namespaces: ['user'] })).toMatchObject({
          code: 0,
          stderr: '',
        });
      }
      expect((await bash(`test -e ${group}`)).code).toBe(1);
    });

  test.each([
    [[`${BIN}/idmap`], /this program has no capabilities here; run "idmap install PATH" as root/],
    [['/not/there'], /^Failed to execute \/not\/there: No such file or directory/],
    [['/bin/false'], /^Failed to map ids by \/bin\/false, which ended with status 1/],
  ])('init says why %j did not map', async (mapper, message) => {
    const { code, status } = await runInit(bench, launch([['ready']], mapper));
    expect(code).toBe(1);
    expect(status).toEqual([['failed', '0', 'mapper', 'EPERM', expect.stringMatching(message)]]);
  });

  test('has no capabilities under no_new_privs, and says what takes them', async () => {
    const { stdout, stderr, code } = await bash(`setpriv --no-new-privs ${IDMAP} 1`);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain('allowPrivilegeEscalation: false');
  });

  test.each([
    ['a process of another user', '1', /not user 1001's|is no child/],
    ['a grandchild', '$(bash -c "sleep 60 >/dev/null & echo \\$!")', /is no child of/],
    ['the caller itself', '$$', /is no child of/],
    ['a child without a user namespace of its own', '$child', /Failed to write [^]* to gid_map/],
  ])('refuses %s', async (_, pid, message) => {
    const { code, stderr } = await bash(`sleep 60 & child=$!; ${IDMAP} ${pid}; code=$?
      kill $child; exit $code`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) as string });
  });

  test.each([['0'], ['-1'], ['1x'], ['']])('takes no process id "%s"', async (pid) => {
    const { code, stderr } = await bench.sandbox.exec([IDMAP, pid]);
    expect(code).toBe(2);
    expect(stderr).toContain('Bad process id');
  });

  test('maps a namespace once', async () => {
    const { code, stdout } = await bash(
      `unshare --user sleep 60 & sleep_pid=$!
       until [ "$(readlink /proc/$sleep_pid/ns/user)" != "$(readlink /proc/$$/ns/user)" ]; do :; done
       ${IDMAP} $sleep_pid && ! ${IDMAP} $sleep_pid 2>/dev/null; code=$?
       wc -l </proc/$sleep_pid/uid_map; kill $sleep_pid; exit $code`,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '4\n' });
  });

  test('does not hand its capabilities on', async () => {
    const { code, stderr } = await bench.sandbox.exec([IDMAP, 'install', '/tmp/copy']);
    expect(code).toBe(1);
    expect(stderr).toContain('only root may');
    expect((await bash('test -e /tmp/copy || test -e /tmp/copy.partial')).code).toBe(1);
  });
});
