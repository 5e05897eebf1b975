import { chooseHierarchy } from '../cgroup-hierarchy.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

export const cgroupV1Accepted: Workaround = {
  id: 'cgroup-v1-accepted',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom: 'kubelet is configured to not run on a host using cgroup v1',
  source: 'https://github.com/kubernetes/kubernetes/pull/134298',
  removeWhen: 'gVisor mounts cgroup v2 by default (runsc -in-sandbox-cgroup=v2 does)',
  needed: ({ facts }) =>
    chooseHierarchy(facts)?.startsWith('v1')
      ? 'cgroup v1 is what this sandbox has; Kubernetes 1.35 and later refuse it by default'
      : undefined,
  contribute: () => ({ kubelet: { failCgroupV1: false } }),
};
