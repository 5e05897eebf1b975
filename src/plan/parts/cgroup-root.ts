import { chooseHierarchy, podCgroupsOf } from '../cgroup-hierarchy.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/**
 * gVisor has no cgroup namespaces, so clusters of one sandbox share a tree, and a kubelet removes what it
 * finds below `kubepods` and does not know.
 */
export const cgroupRoot: Workaround = {
  id: 'cgroup-root',
  kind: 'tuning',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom:
    'Failed to delete cgroup paths; "Orphaned pod found, removing pod cgroups" of another cluster\'s pods',
  source:
    'https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kubelet_pods.go (cleanupOrphanedPodCgroups)',
  removeWhen: 'gVisor has cgroup namespaces',
  needed: ({ facts, layout }) =>
    chooseHierarchy(facts) === undefined
      ? undefined
      : `another cluster's kubelet may be in this sandbox, so pods are below ${layout.podCgroups}`,
  contribute: ({ facts, layout }) => ({
    operations: {
      system: podCgroupsOf(facts, layout).map((path) => ['directory', path, '0755'] as const),
    },
    kubelet: { cgroupRoot: `/${layout.podCgroups}` },
  }),
};
