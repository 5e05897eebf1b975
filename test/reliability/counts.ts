import type { Action } from '../bench/action.ts';
import { PS, residentParts, type Part } from '../bench/resident.ts';

/** What a cluster at rest has of each thing that could leak. */
export const COUNTED = {
  'init, MiB': 'MiB',
  'gateway, MiB': 'MiB',
  'controller, MiB': 'MiB',
  'k3s, MiB': 'MiB',
  processes: '',
  'open files': '',
  mounts: '',
  namespaces: '',
  cgroups: '',
  'addresses of pods': '',
  'disk, MiB': 'MiB',
  'helm install --wait, s': 's',
} as const;

export type Counted = keyof typeof COUNTED;

export interface Counts {
  readonly values: Readonly<Record<Exclude<Counted, 'helm install --wait, s'>, number>>;
  /** The first process of each part. */
  readonly pids: Readonly<Record<Part, number>>;
}

/** One number a line, in the node's namespaces, where everything of the cluster is seen. */
const LOOK = `
  ls /proc/[0-9]*/fd 2>/dev/null | grep -c '^[0-9]'
  wc -l </proc/self/mountinfo
  readlink /proc/[0-9]*/ns/* | grep -v ^user: | sort -u | wc -l
  find /sys/fs/cgroup -type d | wc -l
  grep -c ^lease /var/lib/cni/gvisor-bridge/leases
  du -sm --total /var/lib/rancher /var/lib/kubelet /var/log/pods /run/k3s 2>/dev/null | tail -1 | cut -f1
`;

export async function count(action: Action): Promise<Counts> {
  const ps = (await action.step(PS)).stdout;
  const parts = residentParts(ps);
  const { stdout } = await action.node(['sh', '-c', LOOK]);
  const found = stdout.trim().split('\n').map(Number);
  if (found.length !== 6 || found.some(Number.isNaN)) {
    throw new Error(`Failed to count what a cluster has: expected six numbers, got "${stdout}"`);
  }
  const [files = NaN, mounts = NaN, namespaces = NaN, cgroups = NaN, addresses = NaN, disk = NaN] =
    found;
  return {
    values: {
      'init, MiB': parts.init.mib,
      'gateway, MiB': parts.gateway.mib,
      'controller, MiB': parts.controller.mib,
      'k3s, MiB': parts.k3s.mib,
      processes: ps.split('\n').length,
      'open files': files,
      mounts,
      namespaces,
      cgroups,
      'addresses of pods': addresses,
      'disk, MiB': disk,
    },
    pids: {
      init: parts.init.pid,
      gateway: parts.gateway.pid,
      controller: parts.controller.pid,
      k3s: parts.k3s.pid,
    },
  };
}
