import { ACTION_PATH, type Action } from '../bench/action.ts';
import { PS, residentParts, type Part } from '../bench/resident.ts';
import { growthPerHour, restarts, type Sample } from './trend.ts';

export interface Churn {
  minutes: number;
  cycles: number;
  /** MiB of each part: first, last, and the straight line through all of them after the first third. */
  memory: Record<string, { first: number; last: number; growthPerHour: number }>;
  /** Processes in the sandbox at the end of the first cycle and of the last. */
  processes: { first: number; last: number };
  restarts: Record<string, number>;
  /** Containers of the system's pods that were started again. */
  podRestarts: number;
}

/** Installs, scales, tests and uninstalls a chart again and again, on one cluster. */
export async function churn(action: Action, minutes: number): Promise<Churn> {
  const begin = performance.now();
  const elapsed = () => (performance.now() - begin) / 60_000;
  const samples: Sample[] = [];
  while (elapsed() < minutes) {
    await cycle(action, samples.length);
    const { stdout } = await action.step(PS);
    const parts = residentParts(stdout);
    samples.push({ minute: elapsed(), parts, processes: stdout.split('\n').length });
    const memory = Object.entries(parts).map(([part, { mib }]) => `${part} ${mib.toFixed(0)}`);
    console.log(`cycle ${samples.length}: ${elapsed().toFixed(1)} min, MiB ${memory.join(', ')}`);
  }
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (!first || !last) throw new Error('Failed to soak: not one cycle was finished');
  const parts = Object.keys(first.parts) as Part[];
  return {
    minutes: elapsed(),
    cycles: samples.length,
    memory: Object.fromEntries(
      parts.map((part) => [
        part,
        {
          first: first.parts[part].mib,
          last: last.parts[part].mib,
          growthPerHour: growthPerHour(samples, part),
        },
      ]),
    ),
    processes: { first: first.processes, last: last.processes },
    restarts: Object.fromEntries(parts.map((part) => [part, restarts(samples, part)])),
    podRestarts: await podRestarts(action),
  };
}

async function cycle(action: Action, index: number): Promise<void> {
  const release = `churn-${index}`;
  const deployment = `deployment/${release}-nginx`;
  const chart = `${ACTION_PATH}/examples/nginx-helm-chart`;
  await action.step(['helm', 'install', release, chart, '--wait', '--timeout', '5m']);
  for (const replicas of [4, 1]) {
    await action.step(['kubectl', 'scale', deployment, `--replicas=${replicas}`]);
    await action.step(['kubectl', 'rollout', 'status', deployment, '--timeout=5m']);
  }
  await action.step(['helm', 'test', release, '--timeout', '5m']);
  await action.step(['helm', 'uninstall', release, '--wait', '--timeout', '5m']);
  await action.step(['kubectl', 'delete', 'pods', '--all', '--wait', '--timeout=5m']);
}

async function podRestarts(action: Action): Promise<number> {
  const path = 'jsonpath={.items[*].status.containerStatuses[*].restartCount}';
  const argv = ['kubectl', 'get', 'pods', '--all-namespaces', `--output=${path}`];
  const { stdout } = await action.step(argv);
  return stdout.split(' ').reduce((sum, count) => sum + Number(count), 0);
}
