import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { renderLaunchFile, type Launch } from '../../src/namespaces/operations.ts';
import type { SandboxOptions } from '../testbed/sandbox.ts';
import {
  BIN,
  launchOf,
  logOf,
  privateRoot,
  processOf,
  runInit,
  script,
  SHARE,
  startBench,
  traces,
  type Bench,
} from './launch.ts';

const STARTS = 200;

const profiles: SandboxOptions[] = [
  { profile: 'stock' },
  { profile: 'privileged' },
  { profile: 'stock', runsc: '2026-02' },
  { profile: 'stock', cgroup: 'v2' },
  { profile: 'native' },
];

describe.each(profiles)('init in %o', (options) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench(options);
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  /** Runs a launch with a private root and checks that the runner is as it was. */
  async function run(
    operations: Parameters<typeof launchOf>[1],
    reactions?: Parameters<typeof runInit>[2],
    addFiles?: Parameters<typeof runInit>[3],
  ): ReturnType<typeof runInit> {
    const before = await traces(bench);
    const result = await runInit(
      bench,
      launchOf(bench, [...privateRoot, ...operations]),
      reactions,
      addFiles,
    );
    expect(await traces(bench)).toEqual(before);
    return result;
  }

  test('makes a private root and a bridge, and runs a process in them', async () => {
    const { code, status, stderr } = await run([
      ['environment', 'GREETING', 'tab\there, line\nthere, back\\slash'],
      ...processOf('main', 'essential', '/bin/bash', '-c'),
      [
        'argument',
        'main',
        `hostname; id -u; echo $$; echo "$GREETING"; echo "$OWN"; env -0 | cut -z -d= -f1 | sort -z | tr '\\0' ,; echo
         ls /proc/self/fd | paste -sd,; grep -E 'Sig(Blk|Ign)' /proc/self/status
         ps -o pid=,sid= -p $$ | tr -s ' '
         cut -d: -f1 /proc/net/dev | tr -d ' ' | sort | paste -sd,
         grep -c . /proc/net/route
         touch /etc/left-behind /left-behind; awk '$5 == "/"' /proc/self/mountinfo | wc -l
         exit 42`,
      ],
      ['process-environment', 'main', 'OWN', 'its own'],
      ['start', 'main'],
      ['ready'],
    ]);

    // What nobody asked for is said where it stays.
    expect(stderr).toBe('main ended with exit 42\n');
    expect(status).toEqual([['started', 'main', '2'], ['ready'], ['exited', 'main', 'exit', '42']]);
    expect(code).toBe(42);
    const log = (await logOf(bench, 'main')).split('\n');
    expect(log.slice(0, 6)).toEqual([
      'node',
      '0',
      '2',
      'tab\there, line',
      'there, back\\slash',
      'its own',
    ]);
    expect(log[6]).toBe('GREETING,OWN,PATH,PWD,READY_FD,SHLVL,_,');
    // 3 is the directory that ls reads, 4 is READY_FD.
    expect(log[7]).toBe('0,1,2,3,4');
    expect(log.filter((line) => /^Sig.*[1-9a-f]/.test(line))).toEqual([]);
    expect(log).toContain(' 2 2');
    expect(log.some((line) => line.includes('cni0') && line.includes('lo'))).toBe(true);
    expect(log.at(-2)).toBe('1');
  });

  test('starts another whose link is on its bridge, and whose mounts it does not see', async () => {
    const wire = '/run/wire';
    const inner: Launch = {
      namespaces: ['mount', 'pid', 'network', 'uts', 'ipc'],
      idMaps: [],
      denySetgroups: false,
      steps: [
        {
          id: 'test',
          reason: 'a test',
          operations: [
            ['propagation-here', '/run', 'private'],
            ['directory', '/run/inner', '0755'],
            ['mount', 'tmpfs', '/run/inner', 'tmpfs', '-', '-'],
            ['directory', '/run/below/both', '0755'],
            ['mount', 'tmpfs', '/run/below/both', 'tmpfs', '-', '-'],
            ['distant-port', wire, 'cni0', 'agent-1', 'node0', '10.42.0.9/24'],
            ...script(
              'inner',
              'essential',
              `: >>/run/below/held; mount --bind /proc/self/ns/net /run/below/held
               grep -c ' /run/inner ' /proc/self/mountinfo
               sed -n 's/^ *\\([^:]*\\):.*/\\1/p' /proc/net/dev | sort | paste -sd,
               echo >/dev/tcp/10.42.0.1/1`,
            ),
          ],
        },
      ],
    };
    const { code } = await run(
      [
        ['write', wire, '0600', ''],
        ['bind', '/proc/self/ns/net', wire, '-'],
        ['directory', '/run/below', '0755'],
        ['mount', 'tmpfs', '/run/below', 'tmpfs', '-', '-'],
        ['propagation', '/run/below', 'shared'],
        ...script(
          'main',
          'essential',
          // Twice: somebody still has the first one's network namespace when the second begins.
          `${BIN}/init ${SHARE}/inner
           ${BIN}/init ${SHARE}/inner
           for path in /run/inner /run/below/both; do grep -c " $path " /proc/self/mountinfo; done
           cut -d: -f1 /proc/net/dev | grep -c agent-1`,
        ),
      ],
      {},
      (dir) => writeFile(join(dir, 'inner'), renderLaunchFile(inner)),
    );
    const said = await logOf(bench, 'inner');
    expect(said).toMatch(/^1\nlo,node0\n/);
    // By the bridge: it is the other node that refuses.
    expect(said).toContain('Connection refused');
    expect(await logOf(bench, 'main')).toMatch(/0\n2\n1\n$/);
    expect(code).toBe(0);
  });

  test('limits the open files, to no more than the runner may have', async () => {
    const ulimits = 'ulimit -Sn; ulimit -Hn';
    const { stdout } = await bench.sandbox.exec(['bash', '-c', 'ulimit -Hn']);
    const { code } = await run([
      ['open-files', '2147483647'],
      ...script('most', 'helper', ulimits),
      ['open-files', '4096'],
      ...script('main', 'essential', ulimits),
    ]);
    expect(code).toBe(0);
    const [soft, hard] = (await logOf(bench, 'most')).split('\n').map(Number);
    expect(soft).toBe(hard);
    expect(hard).toBeGreaterThanOrEqual(Number(stdout));
    expect(await logOf(bench, 'main')).toBe('4096\n4096\n');
  });

  test('answers the calls that ask for other ids, and no others, where there is but one', async () => {
    const ask =
      'cd "$(mktemp -d)"; touch owned; chown 7:8 owned; echo $?; stat -c %u:%g owned; chown 0:0 owned; echo $?; ' +
      'chown 0 /none; echo $?; setpriv --reuid=7 --regid=8 --groups=9 id -u; echo $?';
    const { code } = await runInit(bench, {
      ...launchOf(bench, [
        ...script('before', 'helper', 'cd "$(mktemp -d)"; touch other; chown 7:8 other; echo $?'),
        ['one-id'],
        ...script('main', 'essential', ask),
      ]),
      namespaces: ['user', 'mount', 'pid'],
      idMaps: [{ inside: 0, outside: 0, count: 1 }],
    });
    expect(code).toBe(0);
    expect(await logOf(bench, 'before')).toMatch(/Invalid argument\n1\n$/);
    const log = (await logOf(bench, 'main')).split('\n');
    expect(log.filter((line) => !line.startsWith('chown:'))).toEqual([
      '0',
      '0:0',
      '0',
      '1',
      '0',
      '0',
      '',
    ]);
  });

  test('names the line, the errno and the object of what fails', async () => {
    const { code, status, stderr } = await run([
      ['mount', 'none', '/does/not/exist', 'tmpfs', '-', '-'],
    ]);

    const message = 'Failed to mount tmpfs on /does/not/exist: No such file or directory';
    expect(status).toEqual([['failed', expect.any(String), 'mount', 'ENOENT', message]]);
    expect(Number(status[0]?.[1])).toBeGreaterThan(20);
    expect(stderr).toBe(`${message}\n`);
    expect(code).toBe(1);
  });

  test('tells a bridge that is not where it should be', async () => {
    const port = 'distant-port';
    const { status } = await run([[port, '/proc/self/ns/net', 'br9', 'a', 'b', '10.42.1.1/16']]);
    expect(status[0]?.slice(2)).toEqual([
      port,
      'ENODEV',
      'Failed to make b with 10.42.1.1/16, on bridge br9 of /proc/self/ns/net: No such device',
    ]);
  });

  test('refuses what it cannot read before it makes anything', async () => {
    const { code, status } = await run([['port', 'cni0', 'node1', '10.42.0.1']]);
    expect(status).toEqual([
      [
        'failed',
        expect.any(String),
        'port',
        'EINVAL',
        'Bad address "10.42.0.1": expected one such as 10.42.0.1/24',
      ],
    ]);
    expect(code).toBe(1);
  });

  test('tells a program that cannot be executed', async () => {
    const { code, status } = await run([
      ...processOf('main', 'essential', '/bin/not-there'),
      ['start', 'main'],
    ]);
    expect(status).toEqual([
      [
        'failed',
        expect.any(String),
        'start',
        'ENOENT',
        'Failed to execute /bin/not-there: No such file or directory',
      ],
    ]);
    expect(code).toBe(1);
  });

  test('waits for a process to be ready, and for no other', async () => {
    const { code, status, stderr } = await run([
      ...script('helper', 'helper', 'read -r line <&5; exit 3'),
      ...script('slow', 'helper', `until [ -e ${SHARE}/go ]; do :; done; echo >&4; exec sleep 100`),
      ...script('quick', 'helper', `touch ${SHARE}/go; exit 0`),
      ['await', 'slow'],
      ...script('main', 'essential', 'kill -KILL $$'),
      ['ready'],
    ]);

    expect(status).toContainEqual(['exited', 'quick', 'exit', '0']);
    const order = status.map((line) => line.slice(0, 2).join(' '));
    expect(order.indexOf('started main')).toBeGreaterThan(order.indexOf('started slow'));
    expect(status).toContainEqual(['exited', 'main', 'signal', '9']);
    expect(stderr).toBe('main ended with signal 9\n');
    expect(code).toBe(128 + 9);
  });

  test('fails when a process ends before it is ready', async () => {
    const { code, status } = await run([
      ...script('early', 'restart', 'exit 5'),
      ['await', 'early'],
      ['ready'],
    ]);
    expect(status).toEqual([
      ['started', 'early', '2'],
      ['exited', 'early', 'exit', '5'],
      [
        'failed',
        expect.any(String),
        'await',
        'ECHILD',
        expect.stringMatching(/^Failed to wait for early, which ended before it was ready: /),
      ],
    ]);
    expect(code).toBe(1);
  });

  test('starts a process again, later and later, and ends with the essential one', async () => {
    const { code, status, stderr } = await run([
      ...script('again', 'restart', `echo >>${SHARE}/count; exit 1`),
      ...script('main', 'essential', `until [ "$(wc -l <${SHARE}/count)" -ge 4 ]; do :; done`),
      ['ready'],
    ]);
    expect(status.filter((line) => line.join(' ').startsWith('started again'))).toHaveLength(4);
    expect(status.at(-1)?.slice(0, 2)).toEqual(['exited', expect.any(String)]);
    expect(stderr).toMatch(/^(again ended with exit 1\n){3,4}main ended with exit 0\n$/);
    expect(code).toBe(0);
  });

  test('ends in order when told to: the essential first, then the others', async () => {
    const farewell = (name: string): string =>
      `trap 'echo ${name} >>${SHARE}/order; exit 0' TERM; echo >&4; while :; do sleep 0.01; done`;
    const { code, status, stderr } = await run(
      [
        ...script('other', 'restart', farewell('other')),
        ['await', 'other'],
        ...script('main', 'essential', farewell('main')),
        ['await', 'main'],
        ['ready'],
      ],
      { ready: 'kill -TERM $init' },
    );
    const { stdout } = await bench.sandbox.exec(['cat', `${SHARE}/order`]);
    expect(stdout).toBe('main\nother\n');
    expect(status.slice(-2)).toEqual([
      ['exited', 'main', 'exit', '0'],
      ['exited', 'other', 'exit', '0'],
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(128 + 15);
  });

  test('ends by itself when there is nothing to wait for', async () => {
    const { code, status } = await run([
      ...script('helper', 'helper', 'exec sleep 1000'),
      ['ready'],
    ]);
    expect(status.slice(0, 2)).toEqual([['started', 'helper', '2'], ['ready']]);
    expect(code).toBe(0);
  });

  test('kills after three seconds what does not end', async () => {
    const started = Date.now();
    const { code } = await run(
      [
        ...script('main', 'essential', `trap '' TERM; echo >&4; while :; do sleep 1; done`),
        ['await', 'main'],
        ['ready'],
      ],
      { ready: 'kill -INT $init' },
    );
    expect(code).toBe(128 + 15);
    // That it ended at all is the kill's doing; a busy machine may take any time beside.
    expect(Date.now() - started).toBeGreaterThan(2_900);
  });

  test('leaves nothing when it is killed', async () => {
    const { code } = await run(
      [
        ...script('main', 'essential', '(setsid sleep 1000 &) ; echo >&4; exec sleep 1000'),
        ['await', 'main'],
        ['ready'],
      ],
      { ready: 'kill -KILL $init' },
    );
    expect(code).toBe(128 + 9);
  });

  test('reaps what others leave to it', async () => {
    await run([
      ...script(
        'main',
        'essential',
        `for i in $(seq 50); do (setsid true &); done
         until [ "$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ' Z ')" = 0 ]; do :; done
         echo no zombies`,
      ),
    ]);
    expect(await logOf(bench, 'main')).toContain('no zombies');
  });

  test('hands sockets of the runner to a process with an uplink, also after its restart', async () => {
    const { sandbox: address } = bench.sandbox.addresses;
    const { code } = await run([
      ...processOf('client', 'restart', `${BIN}/test/init/uplink_test`, address),
      ['uplink', 'client'],
      ['start', 'client'],
      ...script(
        'main',
        'essential',
        `until [ "$(grep -c '^1\\.\\.' ${SHARE}/client.log)" -ge 3 ]; do :; done`,
      ),
    ]);
    const log = await logOf(bench, 'client');
    expect(code).toBe(0);
    expect(log).not.toContain('not ok');
    expect(log.match(/^1\.\.10$/gm)?.length).toBeGreaterThanOrEqual(3);
  });

  test(`starts ${STARTS} times in a row and leaves no orphan`, async () => {
    const before = await traces(bench);
    await runInit(bench, launchOf(bench, [...privateRoot, ...script('main', 'essential', ':')]));
    const { code, stdout, stderr } = await bench.sandbox.exec(
      ['bash', '-c', `for i in $(seq ${STARTS}); do ${BIN}/init launch || exit 1; done; echo $i`],
      { cwd: SHARE },
    );
    const said = 'main ended with exit 0\n'.repeat(STARTS);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${STARTS}\n`, stderr: said });
    expect(await traces(bench)).toEqual(before);
  });

  test('supervises without any namespace', async () => {
    const result = await runInit(bench, {
      namespaces: [],
      idMaps: [],
      denySetgroups: false,
      steps: [
        {
          id: 'test',
          reason: 'a test',
          operations: [
            ['environment', 'PATH', '/usr/bin:/bin'],
            ...script('main', 'essential', '(setsid sleep 1000 & setsid sleep 1001 &); exit 6'),
          ],
        },
      ],
    });
    expect(result.code).toBe(6);
    const { stdout } = await bench.sandbox.exec(['sh', '-c', 'cat /proc/[0-9]*/cmdline']);
    expect(stdout.split('\0')).not.toContain('1000');
    expect(stdout.split('\0')).not.toContain('1001');
  });

  test('leaves no file in the runner', async () => {
    for (const path of ['/left-behind', '/etc/left-behind']) {
      const { code } = await bench.sandbox.exec(['test', '-e', path]);
      expect(code).toBe(1);
    }
  });
});
