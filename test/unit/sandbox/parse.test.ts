import { describe, expect, it } from 'vitest';
import { NATIVE_PROBES } from '../../../src/sandbox/facts.ts';
import {
  parseFileCapabilities,
  parseMounts,
  parseProbes,
  parseResolver,
} from '../../../src/sandbox/parse.ts';

describe('parseProbes', () => {
  const all = NATIVE_PROBES.map((name) => `${name}\tyes\t`).join('\n');

  it('reads probes and sysctls', () => {
    const { probes, sysctls } = parseProbes(
      `${all}\nmount\tno\tOperation not permitted\nsysctl:vm/panic_on_oom\tno\tENOENT\nsysctl:kernel/panic\tyes\t10\n`,
    );
    expect(probes.mount).toEqual({ result: 'no', evidence: 'Operation not permitted' });
    expect(sysctls).toEqual({
      'vm/panic_on_oom': { result: 'no', evidence: 'ENOENT' },
      'kernel/panic': { result: 'yes', evidence: '10' },
    });
  });

  it('refuses what is not an answer, and an answer that is missing', () => {
    expect(() => parseProbes('mount maybe')).toThrow(
      /Failed to read the probe's answer "mount maybe"/,
    );
    expect(() => parseProbes('mount\tyes\t')).toThrow(/namespaces is missing/);
  });
});

describe('parseMounts', () => {
  const line = (point: string): string => `18 17 0:20 / ${point} rw - overlay none rw`;

  it.each([
    [
      'the system mounts are left out',
      ['/', '/proc', '/sys', '/sys/fs/cgroup', '/dev/shm', '/run'],
      [],
    ],
    [
      'what lies below another comes with it',
      ['/', '/tmp', '/tmp/a', '/tmpfs'],
      ['/tmp', '/tmpfs'],
    ],
    [
      'files a runtime binds are kept, but the resolver',
      ['/etc/hosts', '/etc/resolv.conf'],
      ['/etc/hosts'],
    ],
    ['one mount over another counts once', ['/x', '/x'], ['/x']],
    ['octal escapes are read', ['/my\\134dir'], ['/my\\dir']],
    ['blanks are left out, of which the kubelet would end', ['/my\\040dir', '/tmp'], ['/tmp']],
  ])('%s', (_, points, expected) => {
    expect(parseMounts(points.map(line).join('\n'))).toEqual(expected);
  });

  it.each([
    ['counts as one', '/home/runner/work', ['/home/runner/work', '/tmp']],
    ['comes with the one it lies below', '/tmp/work', ['/tmp']],
    ['may be all there is, which is no mount of its own', '/', ['/tmp']],
  ])('the workspace %s', (_, workspace, expected) => {
    expect(parseMounts(['/', '/tmp'].map(line).join('\n'), workspace)).toEqual(expected);
  });
});

describe('parseResolver', () => {
  it('keeps IPv4 name servers, and the other lines as they are', () => {
    expect(
      parseResolver(
        '# comment\nnameserver 10.0.0.2\nnameserver fd00::1\nsearch a b\noptions ndots:2\n',
      ),
    ).toEqual({ nameservers: ['10.0.0.2'], otherLines: ['search a b', 'options ndots:2'] });
  });
});

it.each([
  ['NoNewPrivs:\t0\nCapBnd:\t00000000a80405fb\n', 'yes', 'bounding set 00000000a80405fb'],
  ['NoNewPrivs:\t1\nCapBnd:\t00000000a80405fb\n', 'no', 'no_new_privs is set'],
  ['CapBnd:\t0000000000000000\n', 'no', 'the bounding set is without SETGID, SETUID, SETFCAP'],
  ['CapBnd:\t00000000280405fb\n', 'no', 'the bounding set is without SETFCAP'],
])('reads from %j whether files can give capabilities', (status, result, evidence) => {
  expect(parseFileCapabilities(status)).toEqual({ result, evidence });
});
