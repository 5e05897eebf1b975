import { describe, expect, it } from 'vitest';
import { parseInputs } from '../../../src/inputs/inputs.ts';
import { layoutOf } from '../../../src/layout.ts';
import { SYSCTLS, type Sysctls } from '../../../src/mode.ts';
import type { Operation } from '../../../src/namespaces/operations.ts';
import { KUBELET_SYSCTLS } from '../../../src/plan/kernel-settings.ts';
import { makePlan, type Plan } from '../../../src/plan/plan.ts';
import { can, NATIVE_PROBES, type Facts, type ProbeName } from '../../../src/sandbox/facts.ts';
import { stockFacts } from './facts.ts';

const INPUTS: Readonly<Record<string, string>> = {
  version: 'v1.36.3+k3s1',
  mode: 'auto',
  timeout: '5m',
};

const planFor = (facts: Facts, sysctls: Sysctls = 'auto'): Plan =>
  makePlan({
    facts,
    inputs: parseInputs((name) => ({ ...INPUTS, sysctls })[name] ?? ''),
    layout: layoutOf('/state', '/dist', 'x64', '/node'),
    k3s: { binary: '/k3s', dataDir: '/data', containerdDropIns: true, coredns: null },
    images: ['/images/a.tar'],
  });

const present = (values: Readonly<Record<string, string>>): Facts['sysctls'] =>
  Object.fromEntries(
    Object.entries(values).map(([path, evidence]) => [path, { result: 'yes', evidence } as const]),
  );

/** A machine without gVisor: it has every sysctl, with other values, and takes no overlay over /proc. */
const native: Facts = {
  ...stockFacts({
    yes: ['mount', 'namespaces', 'kmsg', 'session-keyring'],
    no: ['overlay-proc-sys'],
  }),
  sysctls: present({ ...KUBELET_SYSCTLS, 'vm/overcommit_memory': '0', 'kernel/panic': '0' }),
};

const SANDBOXES: Readonly<Record<string, Facts>> = {
  stock: stockFacts(),
  privileged: stockFacts({ yes: ['mount', 'namespaces'] }),
  native,
  'native, as the kubelet wants it': { ...native, sysctls: present(KUBELET_SYSCTLS) },
  'a user who maps one id': {
    ...stockFacts({ no: ['user-namespace'] }),
    user: { uid: 1001, gid: 1001 },
  },
  'the same, whom one id will do': {
    ...stockFacts({ no: ['user-namespace'] }),
    user: { uid: 1001, gid: 1001 },
    oneIdWillDo: true,
  },
  'a user whose ids a helper maps': {
    ...stockFacts({ no: ['user-namespace'], yes: ['user-namespace-mapped'] }),
    user: { uid: 1001, gid: 1001 },
    idMapper: ['/usr/local/bin/map-ids'],
  },
  'cgroup v2': stockFacts({
    no: ['cgroup-v1-inherited', 'cgroup-v1-mount'],
    yes: ['cgroup-v2-mount'],
  }),
};

/** The facts with the answers of these probes turned to no. */
const without = (facts: Facts, refused: readonly ProbeName[]): Facts => ({
  ...facts,
  probes: {
    ...facts.probes,
    ...Object.fromEntries(
      refused.map((name) => [name, { result: 'no', evidence: 'refused' } as const]),
    ),
  },
});

/** The probes whose attempt an operation repeats. */
function probesOf(operation: Operation): ProbeName[] {
  switch (operation[0]) {
    case 'mount': {
      const [, , target, type] = operation;
      if (type === 'overlay') {
        return [target === '/proc/sys' ? 'overlay-proc-sys' : 'overlay-root'];
      }
      const probes: Readonly<Record<string, ProbeName>> = {
        tmpfs: 'tmpfs',
        proc: 'proc',
        cgroup: 'cgroup-v1-mount',
        cgroup2: 'cgroup-v2-mount',
        // Only so that cgroups can be mounted on it.
        sysfs: 'cgroup-v1-mount',
        // What the probes of proc and tmpfs do together; no kernel has the one without the other.
        devpts: 'proc',
      };
      const probe = probes[type];
      if (probe === undefined) throw new Error(`no probe is known for a mount of ${type}`);
      return [probe];
    }
    case 'one-id':
      return ['seccomp-trace'];
    case 'propagation':
      return operation[2] === 'shared' ? ['rshared'] : [];
    case 'pivot':
      return ['pivot-root'];
    case 'bridge':
      return ['bridge'];
    case 'port':
      return ['veth'];
    case 'argument': {
      const [, process, value] = operation;
      if (process === 'gateway') return ['iptables-nat'];
      return value === '/state/interceptor' ? ['seccomp-trace'] : [];
    }
    default:
      return [];
  }
}

function probesOfPlan(plan: Plan): Set<ProbeName> {
  return new Set([
    ...probesOfNamespaces(plan),
    ...plan.launch.steps.flatMap(({ operations }) => operations.flatMap(probesOf)),
  ]);
}

function probesOfNamespaces({ launch: { namespaces, idMaps, mapper } }: Plan): ProbeName[] {
  if (!namespaces.includes('user')) {
    return namespaces.length === 0 ? [] : ['namespaces'];
  }
  if (mapper !== undefined) {
    return ['user-namespace-mapped'];
  }
  const ids = idMaps.reduce((sum, { count }) => sum + count, 0);
  return [ids > 1 ? 'user-namespace' : 'user-namespace-single'];
}

describe.each(Object.entries(SANDBOXES))('the plan for %s', (_, facts) => {
  it.each(SYSCTLS)('uses nothing whose probe said no, sysctls %s', (sysctls) => {
    const pairs = NATIVE_PROBES.flatMap((one, index) =>
      NATIVE_PROBES.slice(index).map((other) => [one, other] as const),
    );
    let plans = 0;
    for (const refused of [[], ...pairs]) {
      const changed = without(facts, refused);
      let plan: Plan;
      try {
        plan = planFor(changed, sysctls);
      } catch (error) {
        expect(String(error)).toContain('Failed to find a way to run mode auto here');
        continue;
      }
      plans++;
      const used = [...probesOfPlan(plan)].filter((probe) => !can(changed, probe));
      expect(used, `${plan.mode} without ${refused.join(', ')}`).toEqual([]);
    }
    expect(plans).toBeGreaterThan(200);
  });
});

describe('kernel settings', () => {
  const operations = (plan: Plan): Operation[] =>
    plan.launch.steps.flatMap((step) => [...step.operations]);
  const applied = (plan: Plan): string[] =>
    plan.decisions.flatMap(({ id, reason }) => (reason === undefined ? [] : [id]));

  it('are written where nothing is missing and no overlay is to be had', () => {
    const plan = planFor(native);
    expect(plan.mode).toBe('full');
    expect(applied(plan)).toContain('sysctl-values');
    expect(operations(plan).filter(([directive]) => directive === 'set')).toEqual([
      ['set', '/proc/sys/vm/overcommit_memory', '1'],
      ['set', '/proc/sys/kernel/panic', '10'],
    ]);
  });

  it('are left alone where they are right', () => {
    const plan = planFor({ ...native, sysctls: present(KUBELET_SYSCTLS) });
    expect(applied(plan)).not.toEqual(expect.arrayContaining(['sysctl-values']));
    expect(applied(plan)).not.toEqual(expect.arrayContaining(['sysctl-overlay']));
  });

  it('are answered by the interceptor where some are missing and no overlay is to be had', () => {
    const plan = planFor(stockFacts({ no: ['overlay-proc-sys'] }));
    expect(plan.mode).toBe('full');
    expect(applied(plan)).toContain('interceptor');
    expect(applied(plan)).not.toContain('sysctl-overlay');
  });

  it('cost the kubelet where nothing will do, and it is said why', () => {
    const plan = planFor(stockFacts({ no: ['overlay-proc-sys', 'seccomp-trace'] }));
    expect(plan.mode).toBe('control-plane');
    expect(plan.fellShort[0]?.obstacles.join('\n')).toMatch(
      /the kubelet's sysctls, vm\/overcommit_memory, .*: overlay-proc-sys: no \(.*\); seccomp-trace: no/,
    );
  });

  it('are refused where a mount is asked for and is not to be had', () => {
    const plan = planFor(stockFacts({ no: ['overlay-proc-sys'] }), 'bind');
    expect(plan.mode).toBe('control-plane');
    expect(plan.fellShort[0]?.obstacles.join('\n')).toContain('the input sysctls asks for a mount');
  });
});
