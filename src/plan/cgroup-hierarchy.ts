import { can, type Facts } from '../sandbox/facts.ts';

type Hierarchy = 'v1-inherited' | 'v1-mounted' | 'v2-inherited' | 'v2-mounted';

/** The cgroup tree containers will be put in: what the runner already has first, since it needs nothing. */
export function chooseHierarchy(facts: Facts): Hierarchy | undefined {
  if (can(facts, 'cgroup-v2-inherited')) return 'v2-inherited';
  if (can(facts, 'cgroup-v1-inherited')) return 'v1-inherited';
  if (can(facts, 'cgroup-v2-mount')) return 'v2-mounted';
  if (can(facts, 'cgroup-v1-mount')) return 'v1-mounted';
  return undefined;
}
