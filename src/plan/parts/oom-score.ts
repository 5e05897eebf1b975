import { can } from '../../sandbox/facts.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/** Outside of gVisor, where root was left without CAP_SYS_RESOURCE. */
export const oomScore: Workaround = {
  id: 'oom-score',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom:
    "runc create failed: unable to start container process: can't get final child's PID from pipe: EOF",
  source:
    'https://github.com/containerd/containerd/blob/main/docs/cri/config.md (restrict_oom_score_adj)',
  removeWhen: 'never: lowering a score takes CAP_SYS_RESOURCE on Linux',
  needed: ({ facts }) =>
    can(facts, 'oom-score')
      ? undefined
      : `pods cannot be spared when memory runs out (${facts.probes['oom-score'].evidence})`,
  contribute: () => ({
    containerd: { "plugins.'io.containerd.cri.v1.runtime'": { restrict_oom_score_adj: true } },
  }),
};
