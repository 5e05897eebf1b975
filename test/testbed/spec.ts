/**
 * The OCI runtime configuration a stock Docker writes, so that a sandbox here is what
 * `docker run --runtime=runsc` gives. Values: moby daemon/pkg/oci/defaults.go,
 * daemon/pkg/oci/caps/defaults.go and daemon/oci_linux.go (v28).
 */
export interface SpecInputs {
  profile: ContainerProfile;
  /** Path of the root file system. */
  rootfs: string;
  hostname: string;
  /** Path of the network namespace. */
  netns: string;
  cgroupsPath: string;
  /** Directory holding the `resolv.conf`, `hostname` and `hosts` that Docker bind-mounts. */
  etc: string;
  args: readonly string[];
  env: readonly string[];
  user: User;
  mounts: readonly BindMount[];
  /** Where a tmpfs is, as an emptyDir of medium Memory is one; an option may follow, as `:size=1m`. */
  tmpfs: readonly string[];
  /** Bytes; no limit where undefined. */
  memory?: number | undefined;
  /** Device nodes of the host; only a privileged container gets them. */
  hostDevices: readonly Device[];
}

/**
 * `bare` is stock with Docker's seccomp profile in force: no mounts, no namespaces. `restricted` is
 * what Kubernetes' pod security standard of that name demands: no capability, no_new_privs.
 */
export type ContainerProfile = 'stock' | 'privileged' | 'bare' | 'restricted';

export interface User {
  uid: number;
  gid: number;
}

export interface BindMount {
  source: string;
  destination: string;
  readonly: boolean;
}

export interface Device {
  path: string;
  type: 'c' | 'b';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

// The set 0xa80425fb; runsc takes CAP_NET_RAW away, which leaves 0xa80405fb.
const defaultCapabilities = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

const allCapabilities = [
  ...defaultCapabilities,
  'CAP_DAC_READ_SEARCH',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_LEASE',
  'CAP_AUDIT_CONTROL',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
];

const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const charDevice = (major: number, minor: number, allow: boolean) => ({
  allow,
  type: 'c',
  major,
  minor,
  access: 'rwm',
});

// The device cgroup of an unprivileged container: null, zero, full, random, tty, console; not fuse.
const defaultDeviceRules = [
  { allow: false, access: 'rwm' },
  charDevice(1, 5, true),
  charDevice(1, 3, true),
  charDevice(1, 9, true),
  charDevice(1, 8, true),
  charDevice(5, 0, true),
  charDevice(5, 1, true),
  charDevice(10, 229, false),
];

const capabilitiesOf: Readonly<Record<ContainerProfile, readonly string[]>> = {
  stock: defaultCapabilities,
  bare: defaultCapabilities,
  privileged: allCapabilities,
  restricted: [],
};

/** The `process` object, of a container's first process and of one that `docker exec` adds. */
export function processSpec(inputs: {
  profile: ContainerProfile;
  args: readonly string[];
  env: readonly string[];
  cwd: string;
  user: User;
}) {
  const capabilities = capabilitiesOf[inputs.profile];
  return {
    terminal: false,
    user: inputs.user,
    args: inputs.args,
    env: inputs.env,
    cwd: inputs.cwd,
    capabilities:
      inputs.user.uid === 0
        ? { bounding: capabilities, effective: capabilities, permitted: capabilities }
        : { bounding: capabilities },
    noNewPrivileges: inputs.profile === 'restricted',
    oomScoreAdj: 0,
  };
}

/** The whole `config.json`. */
export function containerSpec(inputs: SpecInputs) {
  const privileged = inputs.profile === 'privileged';
  const access = privileged ? 'rw' : 'ro';
  const etcFile = (name: string) => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source: `${inputs.etc}/${name}`,
    options: ['rbind', 'rprivate'],
  });
  return {
    ociVersion: '1.2.1',
    process: processSpec({ ...inputs, cwd: '/' }),
    root: { path: inputs.rootfs },
    hostname: inputs.hostname,
    mounts: [
      mount('/proc', 'proc', 'proc', 'nosuid', 'noexec', 'nodev'),
      mount('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
      mount(
        ...(['/dev/pts', 'devpts', 'devpts', 'nosuid', 'noexec', 'newinstance'] as const),
        ...['ptmxmode=0666', 'mode=0620', 'gid=5'],
      ),
      mount('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', access),
      mount('/sys/fs/cgroup', 'cgroup', 'cgroup', access, 'nosuid', 'noexec', 'nodev'),
      mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
      mount('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=67108864'),
      etcFile('resolv.conf'),
      etcFile('hostname'),
      etcFile('hosts'),
      ...inputs.tmpfs.map((given) => {
        const [path = '', ...options] = given.split(':');
        return mount(path, 'tmpfs', 'tmpfs', 'mode=0777', ...options);
      }),
      ...inputs.mounts.map(({ source, destination, readonly }) => ({
        destination,
        type: 'bind',
        source,
        options: ['rbind', 'rprivate', readonly ? 'ro' : 'rw'],
      })),
    ],
    linux: {
      cgroupsPath: inputs.cgroupsPath,
      maskedPaths: privileged ? [] : maskedPaths,
      readonlyPaths: privileged ? [] : readonlyPaths,
      namespaces: [
        { type: 'mount' },
        { type: 'network', path: inputs.netns },
        { type: 'uts' },
        { type: 'pid' },
        { type: 'ipc' },
      ],
      // daemon/oci_linux.go, WithSysctls: a container outside the host's network gets these two.
      sysctl: {
        'net.ipv4.ip_unprivileged_port_start': '0',
        'net.ipv4.ping_group_range': '0 2147483647',
      },
      devices: privileged ? inputs.hostDevices : [],
      resources: {
        devices: privileged ? [{ allow: true, access: 'rwm' }] : defaultDeviceRules,
        ...(inputs.memory === undefined ? {} : { memory: { limit: inputs.memory } }),
      },
    },
  };
}

function mount(destination: string, type: string, source: string, ...options: string[]) {
  return { destination, type, source, options };
}
