import { join } from 'node:path';
import { PRIVATE_FILES, type Layout } from '../layout.ts';
import { renderFields, type Operation } from '../namespaces/operations.ts';
import type { Contribution } from './part.ts';

const DIRECTORY = join(PRIVATE_FILES, 'adapter');

/**
 * What /proc/sys lacks in gVisor and charts ask for, with what means no limit, or Linux's own value:
 * who compares finds enough, and who writes finds a file.
 */
const MISSING_SYSCTLS: Readonly<Record<string, string>> = {
  'fs/aio-max-nr': '1048576',
  'fs/file-max': '9223372036854775807',
  'fs/inotify/max_queued_events': '16384',
  'fs/inotify/max_user_instances': '8192',
  'fs/inotify/max_user_watches': '1048576',
  'kernel/shm_rmid_forced': '0',
  'kernel/threads-max': '4194304',
  'net/core/netdev_max_backlog': '1000',
  'net/ipv4/ip_unprivileged_port_start': '0',
  'net/ipv4/tcp_fin_timeout': '60',
  'net/ipv4/tcp_max_syn_backlog': '4096',
  'net/ipv4/tcp_tw_reuse': '2',
  'vm/swappiness': '60',
};

/**
 * What puts native/adapter between containerd and runc, for the workarounds that are container by
 * container: containerd's runtime calls it in runc's place, and it reads its settings beside the name
 * it is called by. Nothing where no workaround needs it.
 */
export function containerAdapter(
  workarounds: readonly string[],
  layout: Pick<Layout, 'native' | 'logs'>,
  data: string,
): { containerd: NonNullable<Contribution['containerd']>; operations: readonly Operation[] } {
  if (workarounds.length === 0) return { containerd: {}, operations: [] };
  const name = join(DIRECTORY, 'runc');
  const sysctls = join(DIRECTORY, 'sysctls');
  const settings = [
    // A tmpfs: what a container writes is an overlay's upper layer.
    ['state', join(data, 'agent', 'adapter')],
    ['log', join(layout.logs, 'adapter.log')],
    ['sysctls', sysctls],
    ...workarounds.map((id) => ['workaround', id]),
  ];
  const content = settings.map((fields) => `${renderFields(fields)}\n`).join('');
  const directories = new Set(
    Object.keys(MISSING_SYSCTLS).map((path) => join(sysctls, path, '..')),
  );
  return {
    containerd: {
      "plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options": {
        BinaryName: name,
      },
    },
    operations: [
      ...[DIRECTORY, ...directories].map((path): Operation => ['directory', path, '0755']),
      ...Object.entries(MISSING_SYSCTLS).map(([path, value]): Operation => [
        'write',
        join(sysctls, path),
        '0644',
        `${value}\n`,
      ]),
      ['symlink', join(layout.native, 'adapter'), name],
      ['write', join(DIRECTORY, 'settings'), '0644', content],
    ],
  };
}
