/**
 * `make soak`: many starts and stops, then a long-lived cluster with churn, in a sandbox of profile
 * stock. Fails on a leftover, a restart, a drift, or a cycle that goes wrong.
 *
 *   STARTS=50    starts and stops in a row
 *   MINUTES=60   how long the cluster lives
 */
import { startAction } from '../bench/action.ts';
import { churn } from './churn.ts';
import { COUNTED, type Counted } from './counts.ts';
import { positive } from './numbers.ts';
import { record } from './record.ts';
import { startAndStop } from './starts.ts';
import { drifts } from './trend.ts';

await using action = await startAction({ profile: 'stock' });
const starts = await startAndStop(action, positive('STARTS', 50));
await action.start();
const churned = await churn(action, positive('MINUTES', 60));
await action.stop();
await record({ soak: { starts, churn: churned } });

const restarted = Object.entries(churned.restarts).filter(([, times]) => times > 0);
const drifting = (Object.keys(COUNTED) as Counted[]).filter((name) =>
  drifts(churned.samples.map(({ values }) => values[name])),
);
const problems = [
  ...starts.leftovers,
  ...restarted.map(([part, times]) => `${part} was restarted ${times} times`),
  ...(churned.podRestarts > 0 ? [`${churned.podRestarts} restarts of the system's pods`] : []),
  ...drifting.map((name) => `${name}: grows without end`),
];
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
