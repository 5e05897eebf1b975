import { ACTION_PATH, STATE, type Action } from '../bench/action.ts';
import { count, COUNTED, type Counted } from './counts.ts';
import { restarts } from './trend.ts';

export interface Sample {
  readonly minute: number;
  readonly values: Readonly<Record<Counted, number>>;
}

export interface Churn {
  readonly samples: readonly Sample[];
  /** How many pods were made, the system's own among them. */
  readonly pods: number;
  /** How often a part was another process than before. */
  readonly restarts: Readonly<Record<string, number>>;
  /** Containers of the system's pods that were started again. */
  readonly podRestarts: number;
}

/** Installs, scales, upgrades, tests, rolls back and uninstalls a chart again and again, on one cluster. */
export async function churn(action: Action, minutes: number): Promise<Churn> {
  const begin = performance.now();
  const elapsed = (): number => (performance.now() - begin) / 60_000;
  const samples: Sample[] = [];
  const pids: Record<string, number[]> = {};
  while (elapsed() < minutes) {
    const installed = await cycle(action, samples.length);
    const counts = await count(action);
    for (const [part, pid] of Object.entries(counts.pids)) (pids[part] ??= []).push(pid);
    const values = { ...counts.values, 'helm install --wait, s': installed / 1_000 };
    samples.push({ minute: elapsed(), values });
    const told = Object.keys(COUNTED).map((name) => `${name} ${values[name as Counted].toFixed()}`);
    console.log(`cycle ${samples.length}: ${elapsed().toFixed(1)} min; ${told.join('; ')}`);
  }
  return {
    samples,
    pods: await podsMade(action),
    restarts: Object.fromEntries(Object.entries(pids).map(([part, of]) => [part, restarts(of)])),
    podRestarts: await podRestarts(action),
  };
}

/** @returns how many ms `helm install --wait` took */
async function cycle(action: Action, index: number): Promise<number> {
  const release = `churn-${index}`;
  const deployment = `deployment/${release}-nginx`;
  const chart = `${ACTION_PATH}/examples/nginx-helm-chart`;
  const rolledOut = (): Promise<unknown> =>
    action.step(['kubectl', 'rollout', 'status', deployment, '--timeout=5m']);
  const { ms } = await action.step(['helm', 'install', release, chart, '--wait', '--timeout=5m']);
  await action.step(['kubectl', 'scale', deployment, '--replicas=8']);
  await rolledOut();
  await action.step(['helm', 'test', release, '--timeout=5m']);
  const more = ['--set', 'replicaCount=4', '--set', 'page=second'];
  await action.step(['helm', 'upgrade', release, chart, ...more, '--wait', '--timeout=5m']);
  await action.step(['helm', 'rollback', release, '1', '--wait', '--timeout=5m']);
  await rolledOut();
  const image = '--image=docker.io/rancher/mirrored-library-busybox:1.37.0';
  await action.step(['kubectl', 'create', 'job', release, image, '--', 'true']);
  await action.step([
    'kubectl',
    'wait',
    `job/${release}`,
    '--for=condition=Complete',
    '--timeout=5m',
  ]);
  await action.step(['kubectl', 'delete', 'job', release, '--wait', '--timeout=5m']);
  await action.step(['helm', 'uninstall', release, '--wait', '--timeout=5m']);
  await action.step(['kubectl', 'delete', 'pods', '--all', '--wait', '--timeout=5m']);
  return ms;
}

async function podsMade(action: Action): Promise<number> {
  const made = 'RunPodSandbox for .* returns sandbox id';
  const { stdout } = await action.step(['grep', '-c', made, `${STATE}/logs/containerd.log`]);
  return Number(stdout);
}

async function podRestarts(action: Action): Promise<number> {
  const path = 'jsonpath={.items[*].status.containerStatuses[*].restartCount}';
  const argv = ['kubectl', 'get', 'pods', '--all-namespaces', `--output=${path}`];
  const { stdout } = await action.step(argv);
  return stdout.split(' ').reduce((sum, times) => sum + Number(times), 0);
}
