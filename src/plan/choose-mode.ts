import { MODES, type Isolation, type Mode, type Sysctls } from '../mode.ts';
import { can, hasOneUser, type Facts, type ProbeName } from '../sandbox/facts.ts';
import { everyIdAdvice, RUN_AS_ROOT, SECCOMP_ADVICE } from './advice.ts';
import { chooseHierarchy } from './cgroup-hierarchy.ts';
import { chooseKernelSettings, nameWrongSysctls } from './kernel-settings.ts';

/** What a private root with its own network takes: without these there is nothing to run k3s in. */
const CONTROL_PLANE_PROBES: readonly ProbeName[] = [
  'tmpfs',
  'proc',
  'overlay-root',
  'pivot-root',
  'rshared',
  'bridge',
  'veth',
  'iptables-nat',
];

/** What the mode is chosen by. */
interface Given {
  readonly facts: Facts;
  readonly sysctls: Sysctls;
}

/** Why `mode` cannot be reached here in that isolation, each with its evidence; empty where it can. */
export function obstacles(mode: Mode, isolation: Isolation, { facts, sysctls }: Given): string[] {
  const found =
    isolation === 'namespaces' ? obstaclesInNamespaces(mode, facts) : obstaclesWithout(mode, facts);
  const settled =
    mode === 'control-plane' || chooseKernelSettings(facts, isolation, sysctls) !== undefined;
  return settled ? found : [...found, unsettled(facts, isolation, sysctls)];
}

/** Why the kubelet cannot be given the kernel settings it demands. */
function unsettled(facts: Facts, isolation: Isolation, sysctls: Sysctls): string {
  const answers = (probe: ProbeName): string =>
    `${probe}: ${facts.probes[probe].result} (${facts.probes[probe].evidence})`;
  if (sysctls === 'bind') {
    return `the input sysctls asks for a mount; ${answers('overlay-proc-sys')}`;
  }
  if (isolation === 'none' || sysctls === 'ptrace') {
    return answers('seccomp-trace');
  }
  return `the kubelet's sysctls, ${nameWrongSysctls(facts)}: ${answers('overlay-proc-sys')}; ${answers('seccomp-trace')}`;
}

/** Among the runner's own files: no pod can run, since containers need mounts. */
function obstaclesWithout(mode: Mode, facts: Facts): string[] {
  if (mode === 'control-plane') {
    // Even without an agent k3s keeps a node's password there, and else waits for ever.
    return facts.etcRancher.result === 'yes'
      ? []
      : [
          `k3s keeps a password below /etc/rancher, which user ${facts.user.uid} cannot make (${facts.etcRancher.evidence}); add to the runner's Dockerfile "RUN install -d -o ${facts.user.uid} /etc/rancher", or ${RUN_AS_ROOT}`,
        ];
  }
  const found: string[] = [];
  if (mode === 'full') {
    found.push('without namespaces or mounts containers cannot run');
  }
  if (facts.user.uid !== 0) {
    found.push(`the kubelet needs root; ${RUN_AS_ROOT}`);
  }
  if (!can(facts, 'cgroup-v1-inherited') && !can(facts, 'cgroup-v2-inherited')) {
    found.push(
      `no writable cgroup tree is inherited (${facts.probes['cgroup-v1-inherited'].evidence})`,
    );
  }
  return found;
}

function obstaclesInNamespaces(mode: Mode, facts: Facts): string[] {
  const found: string[] = [];
  const require = (probe: ProbeName): void => {
    const { result, evidence } = facts.probes[probe];
    if (result !== 'yes') {
      found.push(`${probe}: ${result} (${evidence})`);
    }
  };
  if (hasOneUser(facts) && !can(facts, 'user-namespace-single')) {
    require('namespaces');
    require('user-namespace-single');
    found.push(SECCOMP_ADVICE);
  }
  CONTROL_PLANE_PROBES.forEach(require);
  if (mode === 'control-plane') {
    return found;
  }
  if (chooseHierarchy(facts) === undefined) {
    found.push(
      `no writable cgroup tree, inherited or mounted (${facts.probes['cgroup-v1-mount'].evidence}); ${RUN_AS_ROOT}`,
    );
  }
  if (mode === 'node') {
    return found;
  }
  if (hasOneUser(facts) && facts.oneIdWillDo) {
    // Calls that ask for other ids are answered by such a filter.
    require('seccomp-trace');
  } else if (hasOneUser(facts)) {
    const { result, evidence } = facts.probes[idsProbe(facts)];
    found.push(
      `${idsProbe(facts)}: ${result} (${evidence}); images hold files of many users; ${everyIdAdvice(facts)}`,
    );
  }
  return found;
}

/** What was tried last to have the ids of others. */
function idsProbe(facts: Facts): 'user-namespace' | 'user-namespace-mapped' {
  return facts.idMapper.length === 0 ? 'user-namespace' : 'user-namespace-mapped';
}

/** A mode that cannot be had, and why: each obstacle with its evidence, and what would remove it. */
export interface Shortfall {
  readonly mode: Mode;
  readonly obstacles: readonly string[];
}

export interface ModeChoice {
  readonly mode: Mode;
  readonly isolation: Isolation;
  /** The modes above it and what stood in their way. */
  readonly fellShort: readonly Shortfall[];
}

/** The first of the modes that can be had here; all of them as shortfalls where none can. */
export function reach(
  modes: readonly Mode[],
  given: Given,
): ModeChoice | { readonly mode: undefined; readonly fellShort: readonly Shortfall[] } {
  const fellShort: Shortfall[] = [];
  for (const mode of modes) {
    const found: string[] = [];
    for (const isolation of ['namespaces', 'none'] as const) {
      const obstaclesHere = obstacles(mode, isolation, given);
      if (obstaclesHere.length === 0) {
        return { mode, isolation, fellShort };
      }
      found.push(...obstaclesHere);
    }
    fellShort.push({ mode, obstacles: found });
  }
  return { mode: undefined, fellShort };
}

/**
 * The mode that was asked for, or the best that can be had for `auto`.
 * @throws if what was asked for cannot be reached here: never a silent downgrade.
 */
export function chooseMode(asked: Mode | 'auto', given: Given): ModeChoice {
  const reached = reach(asked === 'auto' ? MODES : [asked], given);
  if (reached.mode !== undefined) {
    return reached;
  }
  const shortfalls = reached.fellShort.map(
    ({ mode, obstacles: found }) => `${mode}:\n${found.map((text) => `  - ${text}`).join('\n')}`,
  );
  throw new Error(`Failed to find a way to run mode ${asked} here:\n${shortfalls.join('\n')}`);
}
