import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startAction } from './action.ts';
import { cni } from './cni.ts';
import { containerAdapter } from './container-adapter.ts';
import { BENCH_PATH, type Group } from './group.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { outside } from './outside.ts';
import { rules } from './rules.ts';
import { INSIDE, traffic } from './traffic.ts';

/** Memory first: at rest means that nothing else was measured before. */
const GROUPS = [memory, cni, containerAdapter, network, outside, rules];

/** All that is measured on one cluster in a stock sandbox. */
export const cluster: Group = {
  figures: GROUPS.flatMap(({ figures }) => figures),
  async measure(order) {
    await using action = await startAction({
      ...{ profile: 'stock', images: ['agnhost'] },
      packages: ['iproute2', 'slirp4netns'],
    });
    const programs = await mkdtemp(join(tmpdir(), 'bench-'));
    try {
      await cp(INSIDE, programs, { recursive: true });
      await cp(await traffic(), join(programs, 'traffic'));
      await action.sandbox.copyIn(programs, BENCH_PATH);
    } finally {
      await rm(programs, { recursive: true });
    }
    await action.start();
    for (const group of GROUPS) {
      if (group.figures.some(order.wanted)) await group.measure(action, order);
    }
  },
};
