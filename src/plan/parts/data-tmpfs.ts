import { join } from 'node:path';
import { K3S_DATA } from '../../layout.ts';
import type { K3s } from '../../k3s/unpack.ts';
import type { Operation } from '../../namespaces/operations.ts';
import type { Workaround } from '../part.ts';

/** gVisor's overlay takes its upper layer on tmpfs only, so containerd's snapshots live in memory. */
export const dataTmpfs: Workaround = {
  id: 'data-tmpfs',
  kind: 'foundation',
  where: { isolation: 'namespaces' },
  symptom: '"overlayfs" snapshotter cannot be enabled for "/var/lib/rancher/k3s/agent/containerd"',
  source: 'https://github.com/google/gvisor/tree/master/pkg/sentry/fsimpl/overlay',
  removeWhen: 'gVisor accepts a disk-backed upper layer',
  needed: () => 'overlayfs works with its upper layer on tmpfs',
  contribute: ({ k3s, layout }) => ({
    operations: {
      storage: [
        ['directory', K3S_DATA, '0755'],
        ['mount', 'tmpfs', K3S_DATA, 'tmpfs', 'nodev', 'mode=0755'],
        ...unpackedOperations(k3s, K3S_DATA),
        ['directory', '/var/lib/kubelet', '0755'],
        ['mount', 'tmpfs', '/var/lib/kubelet', 'tmpfs', 'nodev', 'mode=0755'],
        // Logs outlive the mount namespace, so that a failure can be explained.
        ['directory', '/var/log/pods', '0755'],
        ['bind', join(layout.logs, 'pods'), '/var/log/pods', '-'],
        ['directory', join(K3S_DATA, 'agent', 'containerd'), '0755'],
        [
          'symlink',
          join(layout.logs, 'containerd.log'),
          join(K3S_DATA, 'agent', 'containerd', 'containerd.log'),
        ],
      ],
    },
  }),
};

/** The binaries k3s unpacks itself into, kept between runs; k3s only adds links beside them. */
export function unpackedOperations({ dataDir }: Pick<K3s, 'dataDir'>, data: string): Operation[] {
  const upper = join(data, '.unpacked', 'upper');
  const work = join(data, '.unpacked', 'work');
  const target = join(data, 'data');
  return [
    ['directory', target, '0755'],
    ['directory', upper, '0755'],
    ['directory', work, '0755'],
    [
      'mount',
      'overlay',
      target,
      'overlay',
      '-',
      `lowerdir=${join(dataDir, 'data')},upperdir=${upper},workdir=${work}`,
    ],
  ];
}
