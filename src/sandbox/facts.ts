/** What a probe found: `crashed` means the attempt itself went wrong, so it answers nothing. */
export interface Answer {
  readonly result: 'yes' | 'no' | 'crashed';
  /** What was tried and what came back: the errno's text, a value, a path. */
  readonly evidence: string;
}

/** The probes of native/probe; each is explained in its own file there. */
export const NATIVE_PROBES = [
  'mount',
  'namespaces',
  'user-namespace-all',
  'user-namespace',
  'user-namespace-mapped',
  'user-namespace-single',
  'tmpfs',
  'tmpfs-limits',
  'proc',
  'overlay-root',
  'overlay-proc-sys',
  'rshared',
  'pivot-root',
  'bridge',
  'veth',
  'iptables-nat',
  'output-dnat',
  'cgroup-v1-inherited',
  'cgroup-v1-mount',
  'cgroup-v2-inherited',
  'cgroup-v2-mount',
  'kmsg',
  'oom-score',
  'session-keyring',
  'seccomp-trace',
] as const;

export type ProbeName = (typeof NATIVE_PROBES)[number];

/** Everything the plan is decided on. Gathered once; a plain value, printed and saved as it is. */
export interface Facts {
  readonly probes: Readonly<Record<ProbeName, Answer>>;
  /** By path below /proc/sys, such as `vm/panic_on_oom`. */
  readonly sysctls: Readonly<Record<string, Answer>>;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly hostname: string;
  /** Bytes; gVisor shows a container's limit as all that there is. */
  readonly memory: number;
  /**
   * Mount points of the runner that hold files of its own, and the job's workspace: not /proc, /sys,
   * /dev, /run, and none below another.
   */
  readonly mounts: readonly string[];
  /** IPv4 networks the runner has an address in, as CIDRs. */
  readonly networks: readonly string[];
  readonly resolver: Resolver;
  /** The content of /etc/hosts; undefined where there is none. */
  readonly hosts: string | undefined;
  readonly proxy: Proxy;
  /** A free TCP port of the runner's 127.0.0.1 for the API server: 6443 where it is free. */
  readonly apiServerPort: number;
  readonly machineId: Answer;
  /** A program and its arguments that may map every id; empty where there is none (id-mapper.ts). */
  readonly idMapper: readonly string[];
  /** Whether pods may run with the runner's id alone, as the input id-map-helper says by `none`. */
  readonly oneIdWillDo: boolean;
  /** Whether a program can gain capabilities here by those of its file. */
  readonly fileCapabilities: Answer;
  /** Whether the runner's user can make what k3s keeps at a path that nothing changes. */
  readonly etcRancher: Answer;
}

/** The runner's proxies, as its environment names them; empty where there is none. */
export interface Proxy {
  readonly http: string;
  readonly https: string;
  /** Comma-separated. */
  readonly no: string;
  /** IPv4, of the host of the one that is asked for https; empty where it has none. */
  readonly address: string;
}

export interface Resolver {
  /** IPv4 addresses, as /etc/resolv.conf lists them. */
  readonly nameservers: readonly string[];
  /** Its other lines (search, options), kept for the node. */
  readonly otherLines: readonly string[];
}

/** Whether the probe's attempt succeeded; a crashed probe counts as a no, and the plan says so. */
export function can(facts: Facts, probe: ProbeName): boolean {
  return facts.probes[probe].result === 'yes';
}

/** Whether the runner may not map other ids itself, and must, and a program does it for it. */
export function isMapped(facts: Facts): boolean {
  return (
    !can(facts, 'namespaces') &&
    !can(facts, 'user-namespace') &&
    can(facts, 'user-namespace-mapped')
  );
}

/** Whether the user namespace will hold one id only: nobody maps others, and the runner needs one. */
export function hasOneUser(facts: Facts): boolean {
  return !can(facts, 'namespaces') && !can(facts, 'user-namespace') && !isMapped(facts);
}
