import { join } from 'node:path';

import { summarise } from './figure.ts';
import type { ClusterGroup } from './group.ts';

const ADDS_PER_ROUND = 10;

/** The plugin as containerd calls it: a process, its configuration on standard input. */
export const cni: ClusterGroup = {
  figures: ['cni-add'],
  async measure(cluster, _wanted, rounds) {
    await cluster.sandbox.copyIn(join(import.meta.dirname, 'inside/cni-add.mjs'), '/opt/bench');
    const count = String(rounds * ADDS_PER_ROUND);
    const { stdout } = await cluster.node(['node', '/opt/bench/cni-add.mjs', count]);
    return [summarise('ms', { name: 'cni-add', values: JSON.parse(stdout) as number[] })];
  },
};
