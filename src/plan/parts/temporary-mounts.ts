import { join } from 'node:path';
import { K3S_DATA } from '../../layout.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/**
 * containerd mounts a container's image for a moment to read its /etc/passwd. In a shared mount
 * gVisor also asks whether the copies are busy that other containers' mount namespaces got while
 * they were starting, and the unmount fails until those are gone: 50 tries, then the kubelet
 * starts over, seconds later.
 */
export const temporaryMounts: Workaround = {
  id: 'temporary-mounts',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom:
    'failed to create containerd container: failed to unmount /var/lib/rancher/k3s/agent/containerd/tmpmounts/containerd-mount1403079732: device or resource busy',
  source: 'https://github.com/containerd/containerd/blob/main/core/mount/mount_linux.go',
  removeWhen: 'gVisor unmounts a shared mount whose copies are in use elsewhere',
  needed: () =>
    "containers that start at the same time hold copies of each other's temporary mounts",
  contribute: () => {
    // Not tmpmounts itself: containerd begins by unmounting what is mounted there.
    const directory = join(K3S_DATA, 'agent', 'containerd');
    return {
      operations: {
        storage: [
          ['directory', directory, '0755'],
          ['bind', directory, directory, '-'],
          ['propagation', directory, 'private'],
        ],
      },
    };
  },
};
