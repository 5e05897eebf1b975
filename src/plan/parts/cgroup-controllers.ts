import { chooseHierarchy } from '../cgroup-hierarchy.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/** A cgroup v2 tree gives its children only the controllers that were enabled for them. */
export const cgroupControllers: Workaround = {
  id: 'cgroup-controllers',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom: 'failed to find cpuset, cpu or memory cgroup (v2)',
  source: 'https://github.com/k3s-io/k3s/blob/master/pkg/cgroups/cgroups_linux.go',
  removeWhen: 'never: nobody else enables them where there is no systemd',
  needed: ({ facts }) =>
    chooseHierarchy(facts)?.startsWith('v2')
      ? 'cgroup v2: children get only the controllers enabled here'
      : undefined,
  contribute: () => ({
    operations: {
      system: [['set', '/sys/fs/cgroup/cgroup.subtree_control', '+cpu +cpuset +memory +pids']],
    },
  }),
};
