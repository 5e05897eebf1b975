import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cached } from '../testbed/cache.ts';
import { command } from '../testbed/command.ts';
import { startAction } from './action.ts';
import { cni } from './cni.ts';
import { BENCH_PATH, type Group } from './group.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { rules } from './rules.ts';

const INSIDE = join(import.meta.dirname, 'inside');
/** Memory first: at rest means that nothing else was measured before. */
const GROUPS = [memory, cni, network, rules];

/** All that is measured on one cluster in a stock sandbox. */
export const cluster: Group = {
  figures: GROUPS.flatMap(({ figures }) => figures),
  async measure(order) {
    await using action = await startAction({ profile: 'stock', images: ['agnhost'] });
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

/** inside/traffic.c, static, since it runs in pods of any image. */
async function traffic(): Promise<string> {
  const source = join(INSIDE, 'traffic.c');
  return cached('bench-traffic', [await readFile(source), process.arch], async (path) => {
    await command(['musl-gcc', '-static', '-std=c11', '-D_GNU_SOURCE', '-O2', '-o', path, source]);
  });
}
