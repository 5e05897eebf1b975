/**
 * `make kill`: runs of the action in one sandbox of profile stock, each with somebody killed at a random
 * moment, each followed by a run that must be as good as new. Fails on whatever is left, lost or silent.
 *
 *   RUNS=100    how many
 *   SEED=1      whom and when: the same for the same seed
 */
import { startClusterSandbox } from '../testbed/cluster.ts';
import { Job } from '../e2e/support/job.ts';
import { blows } from './blows.ts';
import { positive } from './numbers.ts';
import { record } from './record.ts';
import { round, stateOf, type Round } from './round.ts';

const seed = positive('SEED', 1);
await using sandbox = await startClusterSandbox();
const job = await Job.create(sandbox);
const before = await stateOf(sandbox);
const rounds: Round[] = [];
for (const blow of blows(seed, positive('RUNS', 100))) {
  const done = await round(sandbox, job, blow, before);
  rounds.push(done);
  const { victim, signal, rung, after } = blow;
  console.log(
    `${rounds.length}: SIG${signal} to ${victim}, ${after} ms after "${rung}":`,
    `${done.hit ? '' : 'nobody there, '}main ended with ${done.code}; next start ${done.next.toFixed(1)} s`,
  );
  for (const problem of done.problems) console.log(`  ${problem}`);
}
await record({ kill: { seed, rounds } });
process.exitCode = rounds.some(({ problems }) => problems.length > 0) ? 1 : 0;
