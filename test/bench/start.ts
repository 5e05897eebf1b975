/**
 * From the start of the action to node Ready, to the first pod, to a chart's passed test, and back
 * to nothing; the same action and the same k3s in gVisor and without it.
 */
import { startAction, ACTION_PATH, type Action } from './action.ts';
import { summarise, type Figure } from './figure.ts';
import type { Group } from './group.ts';

const PROFILES = ['native', 'stock', 'privileged'] as const;
type Profile = (typeof PROFILES)[number];

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
  'helm-test-passed': ({ stages, helm }) => at(stages, 'kubeconfig used') + helm,
  // All that is not waiting for k3s: until it is started, and after the last thing it was waited for.
  'action-overhead': ({ stages }) =>
    at(stages, 'k3s started') + at(stages, 'kubeconfig used') - at(stages, 'cluster DNS ready'),
  cleanup: ({ cleanup }) => cleanup,
};

/** Each figure's name, without the profile native, which is what the others are compared with. */
const FIGURES: readonly (readonly [name: string, reading: string, profile: Profile])[] = [
  ['node-ready.native', 'node-ready', 'native'],
  ['node-ready.stock', 'node-ready', 'stock'],
  ['node-ready.privileged', 'node-ready', 'privileged'],
  ['helm-test-passed.native', 'helm-test-passed', 'native'],
  ['helm-test-passed.stock', 'helm-test-passed', 'stock'],
  ['helm-test-passed.privileged', 'helm-test-passed', 'privileged'],
  ['first-pod-ready.native', 'first-pod-ready', 'native'],
  ['first-pod-ready.stock', 'first-pod-ready', 'stock'],
  ['action-overhead.stock', 'action-overhead', 'stock'],
  ['cleanup', 'cleanup', 'stock'],
];

export const start: Group = {
  figures: FIGURES.map(([name]) => name),
  async measure({ wanted, rounds, report }) {
    const figures = FIGURES.filter(([name]) => wanted(name));
    const profiles = PROFILES.filter((profile) => figures.some(([, , of]) => of === profile));
    const helm = figures.some(([, reading]) => reading === 'helm-test-passed');
    await using stack = new AsyncDisposableStack();
    const actions: [Profile, Action][] = [];
    for (const profile of profiles) {
      const action = stack.use(await startAction({ profile }));
      // The tool cache is filled, as it is on a runner's second run.
      await action.start();
      await action.stop();
      actions.push([profile, action]);
    }
    const samples = new Map(profiles.map((profile) => [profile, [] as Sample[]]));
    for (let round = 0; round < rounds; round++) {
      for (const [profile, action] of actions) {
        const sample = await measureOnce(action, helm);
        samples.get(profile)?.push(sample);
        console.error(`round ${round + 1} ${profile}: ${describe(sample, helm)}`);
      }
    }
    await report(
      figures.map(([name, reading, profile]) => figureOf(name, reading, profile, samples)),
    );
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
  name: string,
  reading: string,
  profile: Profile,
  samples: ReadonlyMap<Profile, readonly Sample[]>,
): Figure {
  const series = (of: Profile, label: string) => ({
    name: label,
    values: (samples.get(of) ?? []).map((sample) => (readings[reading]?.(sample) ?? NaN) / 1000),
  });
  const base = `${reading}.native`;
  const compared = profile !== 'native' && FIGURES.some(([other]) => other === base);
  return summarise('s', series(profile, name), compared ? series('native', base) : undefined);
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
