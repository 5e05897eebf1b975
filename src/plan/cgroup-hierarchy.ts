import { join } from 'node:path';
import type { Layout } from '../layout.ts';
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

/** The hierarchies of version 1 in which a kubelet wants its root to be. */
const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids'];

/** The directories of the cgroup above those of this run's pods: one, or with version 1 one a hierarchy. */
export function podCgroupsOf(facts: Facts, { podCgroups }: Pick<Layout, 'podCgroups'>): string[] {
  const hierarchies = chooseHierarchy(facts)?.startsWith('v2') ? [''] : V1_CONTROLLERS;
  return hierarchies.map((hierarchy) => join('/sys/fs/cgroup', hierarchy, podCgroups));
}
