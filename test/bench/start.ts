/**
 * From the start of the action to node Ready, to the first pod, to a chart's passed test, and back
 * to nothing; the same action and the same k3s in gVisor and without it.
 */
import { ACTION_PATH, startAction, TOOL_CACHE, type Action, type ActionOptions } from './action.ts';
import { summarise, type Figure } from './figure.ts';
import type { Group } from './group.ts';

const VARIANTS = {
  // Nothing cached: k3s is hashed and unpacks itself.
  cold: { profile: 'stock' },
  native: { profile: 'native' },
  // The manifest of CoreDNS left to k3s itself, as it is where its values are not known beforehand.
  'native-alone': { profile: 'native', inputs: ['--k3s-args', '--cluster-domain=cluster.local'] },
  stock: { profile: 'stock' },
  privileged: { profile: 'privileged' },
  // By force, where a mount would do: what the interceptor costs.
  ptrace: { profile: 'stock', inputs: ['--sysctls', 'ptrace'] },
  // The images prepared by the run before.
  warm: { profile: 'stock', inputs: ['--warm-start', 'true'] },
  'native-warm': { profile: 'native', inputs: ['--warm-start', 'true'] },
} satisfies Record<string, ActionOptions>;
type Variant = keyof typeof VARIANTS;

/** What one start told, in ms. */
interface Sample {
  stages: ReadonlyMap<string, number>;
  helm: number;
  cleanup: number;
}

const readings: Readonly<Record<string, (sample: Sample) => number>> = {
  'node-ready': ({ stages }) => at(stages, 'node Ready'),
  // The cluster's DNS server is the first pod.
  'first-pod-ready': ({ stages }) => at(stages, 'cluster DNS ready'),
  'dns-ready': ({ stages }) => at(stages, 'cluster DNS ready'),
  'dns-after-node': ({ stages }) => at(stages, 'cluster DNS ready') - at(stages, 'node Ready'),
  'helm-test-passed': ({ stages, helm }) => at(stages, 'kubeconfig used') + helm,
  // All that is not waiting for k3s: until it is started, and after the last thing it was waited for.
  'action-overhead': ({ stages }) =>
    at(stages, 'k3s started') + at(stages, 'kubeconfig used') - at(stages, 'cluster DNS ready'),
  cleanup: ({ cleanup }) => cleanup,
};

/** Each figure's name, and the variant that it is compared with. */
const FIGURES: readonly (readonly [
  name: string,
  reading: string,
  variant: Variant,
  against?: Variant,
])[] = [
  ['node-ready.native', 'node-ready', 'native'],
  ['node-ready.stock', 'node-ready', 'stock', 'native'],
  ['node-ready.cold', 'node-ready', 'cold', 'stock'],
  ['node-ready.privileged', 'node-ready', 'privileged', 'native'],
  ['node-ready.ptrace', 'node-ready', 'ptrace', 'stock'],
  ['node-ready.native-warm', 'node-ready', 'native-warm', 'native'],
  ['node-ready.warm', 'node-ready', 'warm', 'stock'],
  ['node-ready.warm-both', 'node-ready', 'warm', 'native-warm'],
  ['helm-test-passed.native', 'helm-test-passed', 'native'],
  ['helm-test-passed.stock', 'helm-test-passed', 'stock', 'native'],
  ['helm-test-passed.privileged', 'helm-test-passed', 'privileged', 'native'],
  ['helm-test-passed.ptrace', 'helm-test-passed', 'ptrace', 'stock'],
  ['helm-test-passed.warm', 'helm-test-passed', 'warm', 'stock'],
  ['first-pod-ready.native', 'first-pod-ready', 'native'],
  ['first-pod-ready.stock', 'first-pod-ready', 'stock', 'native'],
  ['first-pod-ready.warm', 'first-pod-ready', 'warm', 'stock'],
  ['dns-ready.native', 'dns-ready', 'native-alone'],
  ['dns-ready.stock', 'dns-ready', 'stock', 'native-alone'],
  ['dns-ready.warm', 'dns-ready', 'warm', 'native-alone'],
  ['dns-after-node.stock', 'dns-after-node', 'stock'],
  ['dns-after-node.warm', 'dns-after-node', 'warm'],
  ['action-overhead.stock', 'action-overhead', 'stock'],
  ['action-overhead.warm', 'action-overhead', 'warm', 'stock'],
  ['cleanup', 'cleanup', 'stock'],
];

export const start: Group = {
  figures: FIGURES.map(([name]) => name),
  async measure({ wanted, rounds, report }) {
    const figures = FIGURES.filter(([name]) => wanted(name));
    const variants = (Object.keys(VARIANTS) as Variant[]).filter((variant) =>
      figures.some(([, , of, against]) => of === variant || against === variant),
    );
    const helm = figures.some(([, reading]) => reading === 'helm-test-passed');
    await using stack = new AsyncDisposableStack();
    const actions: [Variant, Action][] = [];
    for (const variant of variants) {
      const action = stack.use(await startAction(VARIANTS[variant]));
      // The tool cache is filled, as it is on a runner's second run.
      await action.start();
      await action.stop();
      actions.push([variant, action]);
    }
    const samples = new Map(variants.map((variant) => [variant, [] as Sample[]]));
    for (let round = 0; round < rounds; round++) {
      for (const [variant, action] of actions) {
        if (variant === 'cold') await action.step(['rm', '--recursive', TOOL_CACHE]);
        const sample = await measureOnce(action, helm);
        samples.get(variant)?.push(sample);
        console.error(`round ${round + 1} ${variant}: ${describe(sample, helm)}`);
      }
    }
    await report(figures.map((figure) => figureOf(figure, samples)));
  },
};

async function measureOnce(action: Action, helm: boolean): Promise<Sample> {
  const stages = await action.start();
  const chart = helm ? await installAndTest(action) : 0;
  const { ms } = await action.stop();
  return { stages, helm: chart, cleanup: ms };
}

async function installAndTest(action: Action): Promise<number> {
  const chart = `${ACTION_PATH}/examples/nginx-helm-chart`;
  const install = await action.step(['helm', 'install', 'mynginx', chart, '--wait']);
  const test = await action.step(['helm', 'test', 'mynginx']);
  return install.ms + test.ms;
}

function figureOf(
  [name, reading, variant, against]: (typeof FIGURES)[number],
  samples: ReadonlyMap<Variant, readonly Sample[]>,
): Figure {
  const series = (of: Variant) => ({
    name: of === variant ? name : `${reading}.${of}`,
    values: (samples.get(of) ?? []).map((sample) => (readings[reading]?.(sample) ?? NaN) / 1000),
  });
  return summarise('s', series(variant), against && series(against));
}

function at(stages: ReadonlyMap<string, number>, stage: string): number {
  const ms = stages.get(stage);
  if (ms === undefined) throw new Error(`Failed to find "${stage}" in the action's timeline`);
  return ms;
}

function describe(sample: Sample, helm: boolean): string {
  return Object.entries(readings)
    .filter(([name]) => helm || name !== 'helm-test-passed')
    .map(([name, read]) => `${name} ${(read(sample) / 1000).toFixed(2)} s`)
    .join(', ');
}
