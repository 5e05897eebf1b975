import { join } from 'node:path';
import { K3S_DATA } from '../../layout.ts';
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
  contribute: ({ k3s, layout }) => {
    const unpacked = join(k3s.dataDir, 'data');
    const upper = join(K3S_DATA, '.unpacked', 'upper');
    const work = join(K3S_DATA, '.unpacked', 'work');
    return {
      operations: {
        storage: [
          ['directory', K3S_DATA, '0755'],
          ['mount', 'tmpfs', K3S_DATA, 'tmpfs', 'nodev', 'mode=0755'],
          // The binaries k3s unpacks itself into, kept between runs; k3s only adds links beside them.
          ['directory', join(K3S_DATA, 'data'), '0755'],
          ['directory', upper, '0755'],
          ['directory', work, '0755'],
          [
            'mount',
            'overlay',
            join(K3S_DATA, 'data'),
            'overlay',
            '-',
            `lowerdir=${unpacked},upperdir=${upper},workdir=${work}`,
          ],
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
    };
  },
};
