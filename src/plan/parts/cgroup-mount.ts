import { chooseHierarchy } from '../cgroup-hierarchy.ts';
import { WITH_NODE, type Contribution, type Workaround } from '../part.ts';

const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'devices', 'memory', 'pids'];

/** Docker mounts the cgroup tree read-only; a fresh mount of the same tree is writable. */
export const cgroupMount: Workaround = {
  id: 'cgroup-mount',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom: 'mkdir /sys/fs/cgroup/kubepods: read-only file system',
  source: 'https://github.com/google/gvisor/tree/master/pkg/sentry/fsimpl/cgroupfs',
  removeWhen: 'never while container runtimes mount /sys/fs/cgroup read-only',
  needed: ({ facts }) => {
    const hierarchy = chooseHierarchy(facts);
    return hierarchy?.endsWith('-mounted')
      ? `no writable cgroup tree is inherited, a fresh ${hierarchy.slice(0, 2)} one is`
      : undefined;
  },
  contribute: ({ facts }) => (chooseHierarchy(facts) === 'v2-mounted' ? mountV2() : mountV1()),
};

function mountV2(): Contribution {
  return {
    operations: {
      system: [
        ['mount', 'tmpfs', '/sys/fs', 'tmpfs', 'nosuid,noexec,nodev', 'mode=0755'],
        ['directory', '/sys/fs/cgroup', '0755'],
        ['mount', 'cgroup2', '/sys/fs/cgroup', 'cgroup2', 'nosuid,noexec,nodev', '-'],
      ],
    },
  };
}

function mountV1(): Contribution {
  return {
    operations: {
      system: [
        ['mount', 'tmpfs', '/sys/fs', 'tmpfs', 'nosuid,noexec,nodev', 'mode=0755'],
        ...V1_CONTROLLERS.flatMap((controller) => {
          const path = `/sys/fs/cgroup/${controller}`;
          return [
            ['directory', path, '0755'] as const,
            ['mount', 'cgroup', path, 'cgroup', 'nosuid,noexec,nodev', controller] as const,
          ];
        }),
      ],
    },
  };
}
