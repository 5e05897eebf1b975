import { summarise } from './figure.ts';
import { BENCH_PATH, type ClusterGroup } from './group.ts';

const ADDS_PER_ROUND = 10;

/** The plugin as containerd calls it: a process, its configuration on standard input. */
export const cni: ClusterGroup = {
  figures: ['cni-add'],
  async measure(cluster, { rounds, report }) {
    const count = String(rounds * ADDS_PER_ROUND);
    const { stdout } = await cluster.node(['node', `${BENCH_PATH}/cni-add.ts`, count]);
    await report([summarise('ms', { name: 'cni-add', values: JSON.parse(stdout) as number[] })]);
  },
};
