import { chooseHierarchy } from '../cgroup-hierarchy.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

export const singleProcessOomKill: Workaround = {
  id: 'single-process-oom-kill',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom: 'unable to set unified resource "memory.oom.group"',
  source: 'https://github.com/google/gvisor/tree/master/pkg/sentry/fsimpl/cgroupfs',
  removeWhen: "gVisor's cgroup v2 has memory.oom.group",
  needed: ({ facts }) =>
    chooseHierarchy(facts)?.startsWith('v2')
      ? "gVisor's cgroup v2 has no memory.oom.group"
      : undefined,
  contribute: () => ({ kubelet: { singleProcessOOMKill: true } }),
};
