import { describe, expect, test } from 'vitest';

import { containerSpec, processSpec, type SpecInputs } from '../../testbed/spec.ts';

const inputs: SpecInputs = {
  profile: 'stock',
  rootfs: '/root-of-it',
  hostname: 'box',
  netns: '/run/netns/kgv1',
  cgroupsPath: '/k3s-in-gvisor/kgv1',
  etc: '/etc-of-it',
  args: ['sleep', 'infinity'],
  env: ['PATH=/bin'],
  user: { uid: 0, gid: 0 },
  mounts: [],
  tmpfs: [],
  hostDevices: [
    { path: '/dev/kmsg', type: 'c', major: 1, minor: 11, fileMode: 0o644, uid: 0, gid: 0 },
  ],
};

/** Capability names as the mask /proc/PID/status shows. */
const bits: Record<string, number> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_RAW: 13,
  CAP_SYS_CHROOT: 18,
  CAP_MKNOD: 27,
  CAP_AUDIT_WRITE: 29,
  CAP_SETFCAP: 31,
};
const mask = (names: readonly string[]) =>
  names.reduce((sum, name) => sum + 2 ** (bits[name] ?? NaN), 0);

const mountAt = (spec: ReturnType<typeof containerSpec>, destination: string) =>
  spec.mounts.filter((mount) => mount.destination === destination);

describe('stock', () => {
  const spec = containerSpec(inputs);

  test("holds Docker's default capabilities and no others", () => {
    const { bounding, effective, permitted } = spec.process.capabilities;
    expect(mask(bounding)).toBe(0xa80425fb);
    expect(effective).toEqual(bounding);
    expect(permitted).toEqual(bounding);
  });

  test('gets the cgroup and sysfs mounts read only', () => {
    expect(mountAt(spec, '/sys/fs/cgroup')[0]?.options).toContain('ro');
    expect(mountAt(spec, '/sys')[0]?.options).toContain('ro');
  });

  test('has masked and read only paths, and no device of the host', () => {
    expect(spec.linux.maskedPaths).toContain('/proc/kcore');
    expect(spec.linux.readonlyPaths).toContain('/proc/sys');
    expect(spec.linux.devices).toEqual([]);
    expect(spec.linux.resources.devices[0]).toEqual({ allow: false, access: 'rwm' });
  });

  test('joins the given network namespace and makes the others', () => {
    expect(spec.linux.namespaces).toEqual([
      { type: 'mount' },
      { type: 'network', path: '/run/netns/kgv1' },
      { type: 'uts' },
      { type: 'pid' },
      { type: 'ipc' },
    ]);
  });

  test.each(['resolv.conf', 'hostname', 'hosts'])('binds its own /etc/%s', (name) => {
    expect(mountAt(spec, `/etc/${name}`)).toEqual([
      {
        destination: `/etc/${name}`,
        type: 'bind',
        source: `/etc-of-it/${name}`,
        options: ['rbind', 'rprivate'],
      },
    ]);
  });
});

describe('privileged', () => {
  const spec = containerSpec({ ...inputs, profile: 'privileged' });

  test('holds all 41 capabilities, each once', () => {
    const { bounding } = spec.process.capabilities;
    expect(new Set(bounding).size).toBe(41);
    expect(bounding).toHaveLength(41);
  });

  test('gets the cgroup and sysfs mounts writable', () => {
    expect(mountAt(spec, '/sys/fs/cgroup')[0]?.options).toContain('rw');
    expect(mountAt(spec, '/sys')[0]?.options).toContain('rw');
  });

  test('has nothing masked, and the devices of the host', () => {
    expect(spec.linux.maskedPaths).toEqual([]);
    expect(spec.linux.readonlyPaths).toEqual([]);
    expect(spec.linux.devices).toEqual(inputs.hostDevices);
    expect(spec.linux.resources.devices).toEqual([{ allow: true, access: 'rwm' }]);
  });
});

test.each([
  [true, 'ro'],
  [false, 'rw'],
])('a bind mount with readonly %s has the option %s', (readonly, option) => {
  const mounts = [{ source: '/here', destination: '/there', readonly }];
  expect(mountAt(containerSpec({ ...inputs, mounts }), '/there')[0]?.options).toEqual([
    ...['rbind', 'rprivate', option],
  ]);
});

test('a process of a user other than root keeps the bounding set only', () => {
  const { capabilities, user } = processSpec({
    profile: 'stock',
    args: ['id'],
    env: [],
    cwd: '/',
    user: { uid: 1001, gid: 1001 },
  });
  expect(user).toEqual({ uid: 1001, gid: 1001 });
  expect(Object.keys(capabilities)).toEqual(['bounding']);
});

test('restricted holds no capability and can gain none, whoever runs', () => {
  const { capabilities, noNewPrivileges } = containerSpec({
    ...inputs,
    profile: 'restricted',
  }).process;
  expect(capabilities).toEqual({ bounding: [], effective: [], permitted: [] });
  expect(noNewPrivileges).toBe(true);
  expect(containerSpec(inputs).process.noNewPrivileges).toBe(false);
});

test('a tmpfs lets files keep their capabilities', () => {
  const spec = containerSpec({ ...inputs, tmpfs: ['/opt/tools'] });
  expect(mountAt(spec, '/opt/tools')[0]).toMatchObject({ type: 'tmpfs', options: ['mode=0777'] });
});
