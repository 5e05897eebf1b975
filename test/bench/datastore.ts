import { K3S_PATH } from '../testbed/cluster.ts';
import { startAction } from './action.ts';
import { summarise } from './figure.ts';
import { BENCH_PATH, type Group } from './group.ts';
import { INSIDE } from './traffic.ts';

const NAMES = ['datastore.cold', 'datastore.kept', 'datastore.bootstrap-objects'] as const;

/**
 * What a kept datastore would gain, of which nothing is kept (docs/architecture.md, "Warm start"): a
 * control plane alone, with nothing, with everything, and with the objects that every cluster has.
 */
export const datastore: Group = {
  figures: NAMES,
  async measure({ wanted, rounds, report }) {
    await using action = await startAction({ profile: 'stock' });
    await action.sandbox.copyIn(INSIDE, BENCH_PATH);
    const values = NAMES.map(() => [] as number[]);
    for (let round = 0; round < rounds; round++) {
      const { stdout } = await action.step([`${BENCH_PATH}/datastore.sh`, K3S_PATH]);
      stdout.split('\n').forEach((line, index) => values[index]?.push(Number(line)));
    }
    const series = NAMES.map((name, index) => ({ name, values: values[index] ?? [] }));
    const [cold, ...others] = series.filter(({ values: list }) => list.length === rounds);
    if (cold === undefined || others.length !== 2) {
      throw new Error('Failed to measure the datastore: datastore.sh did not print three times');
    }
    const figures = [summarise('s', cold), ...others.map((other) => summarise('s', other, cold))];
    await report(figures.filter(({ name }) => wanted(name)));
  },
};
