import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { NATIVE_PROBES } from '../../src/sandbox/facts.ts';
import { parseProbes } from '../../src/sandbox/parse.ts';
import { addIdMapper, IDMAP, RUNNER } from '../testbed/runner-image.ts';
import type { SandboxOptions } from '../testbed/sandbox.ts';
import { programs } from './build.ts';
import { BIN, startBench, traces, type Bench } from './launch.ts';

const SYSCTLS = ['vm/panic_on_oom', 'vm/overcommit_memory', 'kernel/cap_last_cap'];

/** What is known of each environment (docs/architecture.md). */
interface Expectation {
  options: SandboxOptions;
  mapper?: string;
  no: readonly string[];
}

/**
 * Does not route again after OUTPUT's nat table: the probe waits for a datagram in vain. And does not know
 * the options of a tmpfs by which runc 1.5 hides a directory.
 */
const FEBRUARY = ['output-dnat', 'tmpfs-limits'];

/** A container has no /dev/kmsg, and gVisor keeps every session keyring. */
const GVISOR = ['kmsg', 'session-keyring'];
/** cgroup v1 is there, v2 is not. */
const V1 = [...GVISOR, 'cgroup-v2-inherited', 'cgroup-v2-mount'];
const V2 = [...GVISOR, 'cgroup-v1-inherited', 'cgroup-v1-mount'];
const UNPRIVILEGED = ['mount', 'namespaces', 'user-namespace-mapped'];

const expectations: Expectation[] = [
  { options: { profile: 'stock' }, no: [...UNPRIVILEGED, ...V1] },
  { options: { profile: 'stock', runsc: '2026-02' }, no: [...UNPRIVILEGED, ...V1, ...FEBRUARY] },
  {
    // The inherited v2 mount is read-only, a fresh one is not.
    options: { profile: 'stock', cgroup: 'v2' },
    no: [...UNPRIVILEGED, ...V2, 'cgroup-v2-inherited'],
  },
  { options: { profile: 'privileged' }, no: ['user-namespace-mapped', ...V1] },
  {
    options: { profile: 'privileged', cgroup: 'v2' },
    no: ['user-namespace-mapped', ...V2],
  },
  {
    options: { profile: 'stock', user: RUNNER },
    no: [
      ...UNPRIVILEGED,
      ...V1,
      // Docker's mount belongs to root; a fresh one of the same tree belongs to who mounts it.
      ...['user-namespace-all', 'user-namespace', 'cgroup-v1-inherited'],
    ],
  },
  {
    options: { profile: 'stock', runsc: '2026-02', user: RUNNER },
    no: [
      ...UNPRIVILEGED,
      ...V1,
      ...FEBRUARY,
      'user-namespace-all',
      'user-namespace',
      'cgroup-v1-inherited',
    ],
  },
  {
    // All that root has.
    options: { profile: 'stock', user: RUNNER, build: addIdMapper(join(programs, 'idmap')) },
    mapper: IDMAP,
    no: ['mount', 'namespaces', 'user-namespace-all', 'user-namespace', ...V1],
  },
  {
    // no_new_privs takes from the helper what its file gives.
    options: { profile: 'restricted', user: RUNNER, build: addIdMapper(join(programs, 'idmap')) },
    mapper: IDMAP,
    no: [...UNPRIVILEGED, ...V1, 'user-namespace-all', 'user-namespace', 'cgroup-v1-inherited'],
  },
];

describe.each(expectations)('probe in $options', ({ options, mapper, no }) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench(options);
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  test('finds what is known, with evidence, and leaves nothing', async () => {
    const before = await traces(bench);
    const { code, stdout, stderr } = await bench.sandbox.exec([
      `${BIN}/probe`,
      ...['--scratch', '/tmp'],
      ...(mapper === undefined ? [] : ['--mapper', mapper]),
      ...SYSCTLS.flatMap((path) => ['--sysctl', path]),
    ]);
    expect(await traces(bench)).toEqual(before);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    const { probes, sysctls } = parseProbes(stdout);
    const refused = NATIVE_PROBES.filter((name) => probes[name].result === 'no');
    expect(refused).toEqual(NATIVE_PROBES.filter((name) => no.includes(name)));
    const crashed = NATIVE_PROBES.filter((name) => probes[name].result === 'crashed');
    expect(crashed).toEqual([]);
    for (const { evidence } of Object.values(probes)) expect(evidence).not.toBe('');

    expect(sysctls).toEqual({
      'vm/panic_on_oom': {
        result: 'no',
        evidence: 'Failed to read vm/panic_on_oom: No such file or directory',
      },
      'vm/overcommit_memory': { result: 'yes', evidence: '0' },
      'kernel/cap_last_cap': { result: 'yes', evidence: '40' },
    });
  });

  test('is quick', async () => {
    // Against an exec that does nothing, alternately, so that a busy machine is slow for both.
    const script = `
      const { execFileSync } = require('node:child_process');
      const time = (...argv) => {
        const start = performance.now();
        execFileSync(argv[0], argv.slice(1));
        return performance.now() - start;
      };
      const probe = [], nothing = [];
      for (let i = 0; i < 5; i++) {
        probe.push(time('${BIN}/probe', '--scratch', '/tmp'));
        nothing.push(time('/bin/true'));
      }
      console.log(Math.min(...probe) / Math.min(...nothing));
    `;
    const { stdout } = await bench.sandbox.exec(['node', '-e', script]);
    // An exec takes 5 to 10 ms there when nothing else runs, a probe about 100, and 250 more where it
    // waits for a datagram in vain.
    expect(Number(stdout)).toBeLessThan(no.includes('output-dnat') ? 75 : 25);
  });
});

describe('probe on the command line', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench({ profile: 'stock' });
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  test.each([
    [[], 'Missing --scratch'],
    [['--scratch'], 'Missing value of --scratch'],
    [['--verbose', 'yes'], 'Unexpected --verbose'],
  ])('refuses %j', async (argv, message) => {
    const { code, stderr } = await bench.sandbox.exec([`${BIN}/probe`, ...argv]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('names a scratch directory that cannot be used', async () => {
    const { code, stderr } = await bench.sandbox.exec([`${BIN}/probe`, '--scratch', '/proc']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Failed to make a directory in \/proc: /);
  });
});
