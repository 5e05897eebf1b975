import { summarise } from './figure.ts';
import { BENCH_PATH, type ClusterGroup } from './group.ts';

const CREATES_PER_ROUND = 5;

/** What the adapter adds to the creation of a container, of one that has nothing to be changed. */
export const containerAdapter: ClusterGroup = {
  figures: ['container-runc', 'container-adapter'],
  async measure(cluster, { rounds, report }) {
    const count = String(rounds * CREATES_PER_ROUND);
    const { stdout } = await cluster.node(['node', `${BENCH_PATH}/container-adapter.ts`, count]);
    const { runc, adapter } = JSON.parse(stdout) as { runc: number[]; adapter: number[] };
    const alone = { name: 'container-runc', values: runc };
    await report([
      summarise('ms', alone),
      summarise('ms', { name: 'container-adapter', values: adapter }, alone),
    ]);
  },
};
