import type { Isolation, Sysctls } from '../mode.ts';
import { can, type Facts } from '../sandbox/facts.ts';

/**
 * What the kubelet demands of the kernel, path below /proc/sys and value: setupKernelTunables in
 * pkg/kubelet/cm/container_manager_linux.go. The values are those it would set.
 */
export const KUBELET_SYSCTLS: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

/** The sysctls that are missing, or not what the kubelet wants. */
export function wrongSysctls(facts: Facts): [path: string, value: string][] {
  return Object.entries(KUBELET_SYSCTLS).filter(([path, value]) => {
    const answer = facts.sysctls[path];
    return answer?.result !== 'yes' || answer.evidence !== value;
  });
}

/** Their paths, in words. */
export function nameWrongSysctls(facts: Facts): string {
  return wrongSysctls(facts)
    .map(([path]) => path)
    .join(', ');
}

/** How the kubelet comes to find what it demands: as it is, by a mount, by writing, by the interceptor. */
export type KernelSettings = 'as they are' | 'overlay' | 'written' | 'traced';

/**
 * The cheapest way that the probes allow; undefined where there is none. Writing changes the kernel for
 * all, so it is for where the runner may and nothing is missing: a machine of the runner's own.
 */
export function chooseKernelSettings(
  facts: Facts,
  isolation: Isolation,
  asked: Sysctls,
): KernelSettings | undefined {
  const traced = can(facts, 'seccomp-trace') ? 'traced' : undefined;
  if (asked === 'ptrace') {
    return traced;
  }
  if (isolation === 'none') {
    return asked === 'bind' ? undefined : traced;
  }
  const wrong = wrongSysctls(facts);
  if (wrong.length === 0) {
    return 'as they are';
  }
  if (can(facts, 'overlay-proc-sys')) {
    return 'overlay';
  }
  if (asked === 'bind') {
    return undefined;
  }
  const complete = wrong.every(([path]) => facts.sysctls[path]?.result === 'yes');
  return complete && can(facts, 'namespaces') ? 'written' : traced;
}
