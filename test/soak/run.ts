/**
 * `make soak`: many starts and stops, then a long-lived cluster with churn, in a sandbox of profile
 * stock. Writes build/soak.json; fails on a leftover, a restart, or a cycle that goes wrong.
 *
 *   STARTS=5    starts and stops in a row
 *   MINUTES=5   how long the cluster lives; 60 for the real thing
 *   PROFILE=privileged
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { startAction } from '../bench/action.ts';
import { churn } from './churn.ts';
import { startAndStop } from './starts.ts';

const OUTPUT = join(import.meta.dirname, '../../build/soak.json');

const profile = process.env['PROFILE'] === 'privileged' ? 'privileged' : 'stock';
const count = positive('STARTS', 5);
const minutes = positive('MINUTES', 5);

await using action = await startAction({ profile });
const starts = await startAndStop(action, count);
await action.start();
const churned = await churn(action, minutes);
await action.stop();
await mkdir(join(OUTPUT, '..'), { recursive: true });
await writeFile(OUTPUT, `${JSON.stringify({ profile, starts, churn: churned }, undefined, 2)}\n`);
console.log(JSON.stringify(churned, undefined, 2));

const restarted = Object.entries(churned.restarts).filter(([, times]) => times > 0);
const problems = [
  ...starts.leftovers,
  ...restarted.map(([part, times]) => `${part} was restarted ${times} times`),
  ...(churned.podRestarts > 0 ? [`${churned.podRestarts} restarts of the system's pods`] : []),
];
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function positive(name: string, byDefault: number): number {
  const text = process.env[name];
  const value = Number(text ?? byDefault);
  if (value > 0) return value;
  throw new Error(`${name}: "${text ?? ''}" is not a positive number`);
}
