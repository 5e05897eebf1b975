import { join } from 'node:path';
import { PRIVATE_FILES } from '../../layout.ts';
import type { Operation } from '../../namespaces/operations.ts';
import { chooseHierarchy } from '../cgroup-hierarchy.ts';
import type { Contribution, Workaround } from '../part.ts';

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/**
 * A copy-on-write view of the runner's files: what k3s writes to /etc, /opt, /usr or /var goes to
 * memory and vanishes with the mount namespace. Also what makes paths writable for a runner that
 * is not root, and what leaves only our own entries in mountinfo (runc takes the first entry of a
 * cgroup mount, even a covered one).
 */
export const privateRoot: Workaround = {
  id: 'private-root',
  kind: 'foundation',
  where: { isolation: 'namespaces' },
  symptom: 'files of k3s, containerd and the kubelet left behind all over the runner',
  source: 'https://docs.kernel.org/filesystems/overlayfs.html',
  removeWhen: 'never: this is the clean-up',
  needed: () => 'everything k3s writes vanishes with its mount namespace',
  contribute: ({ facts, mode, k3s, layout, prepared }): Contribution => {
    const inside = (path: string): string => join(layout.newRoot, path);
    const upper = join(layout.scratch, 'upper');
    const work = join(layout.scratch, 'work');
    const bind = (path: string, flags = 'recursive'): Operation[] => [
      ['directory', inside(path), '0755'],
      ['bind', path, inside(path), flags],
    ];
    const bindFile = (path: string, from = path): Operation[] => [
      ['write', inside(path), '0644', ''],
      ['bind', from, inside(path), '-'],
    ];
    return {
      operations: {
        layer: [
          ['propagation', '/', 'private'],
          ['mount', 'tmpfs', layout.scratch, 'tmpfs', 'nodev', 'mode=0755'],
          ['directory', upper, '0755'],
          ['directory', work, '0755'],
          ['directory', layout.newRoot, '0755'],
        ],
        root: [
          [
            'mount',
            'overlay',
            layout.newRoot,
            'overlay',
            // Where set-uid bits count and root and the runner's user are changed for each other, the
            // runner's mount would be run as that user: "must be superuser to use mount".
            'nosuid',
            `lowerdir=/,upperdir=${upper},workdir=${work}`,
          ],
          ['directory', inside('/proc'), '0755'],
          ['mount', 'proc', inside('/proc'), 'proc', 'nosuid,noexec,nodev', '-'],
          ...(mode !== 'control-plane' && chooseHierarchy(facts) === 'v1-mounted'
            ? // Without the cgroup mounts in the runner's, which runc would take, covered as they are.
              mountSys(inside('/sys'))
            : bind('/sys')),
          ['directory', inside('/dev'), '0755'],
          ['mount', 'tmpfs', inside('/dev'), 'tmpfs', 'nosuid', 'mode=0755'],
          ...DEVICES.flatMap((name) => bindFile(`/dev/${name}`)),
          // kubelet: "failed to create kubelet: open /dev/kmsg: no such file or directory"; it only
          // has to open. The runner's own would need CAP_SYSLOG, so it is never shown.
          ...bindFile('/dev/kmsg', '/dev/null'),
          ['directory', inside('/dev/pts'), '0755'],
          [
            'mount',
            'devpts',
            inside('/dev/pts'),
            'devpts',
            'nosuid,noexec',
            'newinstance,ptmxmode=0666',
          ],
          ['symlink', 'pts/ptmx', inside('/dev/ptmx')],
          ['symlink', '/proc/self/fd', inside('/dev/fd')],
          ['symlink', '/proc/self/fd/0', inside('/dev/stdin')],
          ['symlink', '/proc/self/fd/1', inside('/dev/stdout')],
          ['symlink', '/proc/self/fd/2', inside('/dev/stderr')],
          ['directory', inside('/dev/shm'), '1777'],
          ['mount', 'tmpfs', inside('/dev/shm'), 'tmpfs', 'nosuid,noexec,nodev', 'mode=1777'],
          // The lower layer has what they are mounted on.
          ...facts.mounts.map((path): Operation => ['bind', path, inside(path), 'recursive']),
          // What is bound with RUNNER_TEMP in it has this very root in it, and runc takes the first
          // cgroup mount that mountinfo names: "create mountpoint for /sys/fs/cgroup/pids mount: stat
          // .../scratch/root/sys/fs/cgroup/pids/kubepods/...: no such file or directory".
          ...facts.mounts
            .filter((path) => layout.scratch.startsWith(`${path}/`))
            .map((): Operation => ['unmount', inside(layout.scratch)]),
          // Not through this overlay, since another one is put on it: Linux stacks two at most
          // ("Invalid argument"), and a container's own root is the first.
          // Read-only: later jobs run what is in there, and a pod may have the node's root as a volume.
          ...bind(k3s.dataDir, 'recursive,read-only'),
          ...(prepared === undefined ? [] : bind(prepared.directory, 'recursive,read-only')),
          ['directory', inside('/run'), '0755'],
          ['mount', 'tmpfs', inside('/run'), 'tmpfs', 'nosuid,nodev', 'mode=0755'],
          ['directory', inside(layout.state), '0755'],
          // Not recursive: the private root itself lies below it.
          ['bind', layout.state, inside(layout.state), '-'],
          ['pivot', layout.newRoot],
        ],
        system: [
          // containerd and kubelet mount for containers, and containers ask for propagation:
          // "path /sys is mounted on /sys but it is not a shared or slave mount".
          ['propagation', '/', 'shared'],
          ['directory', PRIVATE_FILES, '0755'],
        ],
      },
    };
  },
};

function mountSys(path: string): Operation[] {
  return [
    ['directory', path, '0755'],
    ['mount', 'sysfs', path, 'sysfs', 'nosuid,noexec,nodev', '-'],
  ];
}
