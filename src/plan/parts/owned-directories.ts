import { join } from 'node:path';
import { hasOneUser } from '../../sandbox/facts.ts';
import type { Workaround } from '../part.ts';

/** Every directory of the private root in which this project, k3s, the kubelet or containerd makes something. */
const DIRECTORIES = [
  'etc',
  'opt',
  'mnt',
  'root',
  'usr',
  'usr/libexec',
  'var',
  'var/lib',
  'var/log',
];

/**
 * Root of a user namespace may do nothing with what belongs to an id outside of it. A directory of
 * the overlay belongs to whom it belongs in the upper layer.
 */
export const ownedDirectories: Workaround = {
  id: 'owned-directories',
  kind: 'foundation',
  where: { isolation: 'namespaces' },
  symptom: 'Failed to create /var/lib/rancher: Permission denied',
  source: 'https://docs.kernel.org/filesystems/overlayfs.html#upper-and-lower',
  removeWhen: 'never: without the id map helper a runner that is not root has no id but its own',
  needed: ({ facts }) =>
    hasOneUser(facts)
      ? `the runner is user ${facts.user.uid}, and /etc and /var belong to another, whom its user namespace does not have`
      : undefined,
  contribute: ({ layout }) => {
    const upper = join(layout.scratch, 'upper');
    return {
      operations: {
        layer: [
          ...DIRECTORIES.map((path) => ['directory', join(upper, path), '0755'] as const),
          ['write', join(upper, 'etc/resolv.conf'), '0644', ''],
        ],
      },
    };
  },
};
