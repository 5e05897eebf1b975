/**
 * `make bench`: measures, prints a table, writes build/bench.json.
 *
 *   ONLY=node-ready,memory   only the figures that begin with one of these
 *   N=5                      rounds
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { adopt } from './adopt.ts';
import { cluster } from './cluster.ts';
import { datastore } from './datastore.ts';
import { demo } from './demo.ts';
import type { Figure } from './figure.ts';
import type { Group } from './group.ts';
import { measureInterceptor } from './interceptor.ts';
import { start } from './start.ts';
import { renderTable } from './table.ts';

const OUTPUT = join(import.meta.dirname, '../../build/bench.json');
const DEFAULT_ROUNDS = 5;

const interceptor: Group = {
  figures: ['interceptor'],
  async measure({ wanted, report }) {
    await report((await measureInterceptor()).filter(({ name }) => wanted(name)));
  },
};
const GROUPS = [start, adopt, cluster, interceptor, datastore, demo];

const only = (process.env['ONLY'] ?? '').split(',').filter(Boolean);
const wanted = (name: string) =>
  only.length === 0 || only.some((prefix) => name.startsWith(prefix));
/** A group's names can be longer than what was asked for, or shorter. */
const touches = (name: string) =>
  wanted(name) || only.some((prefix) => prefix.startsWith(`${name}.`));
const rounds = Number(process.env['N'] ?? DEFAULT_ROUNDS);
if (!(Number.isInteger(rounds) && rounds > 0)) {
  throw new Error(
    `N: "${process.env['N'] ?? ''}" is not a number of rounds; give a whole one from 1`,
  );
}
const chosen = GROUPS.filter(({ figures }) => figures.some(touches));
if (chosen.length === 0) {
  const known = GROUPS.flatMap(({ figures }) => figures).join(', ');
  throw new Error(`ONLY: no figure begins with "${only.join(',')}"; there are ${known}`);
}

const [loadBefore = 0] = loadavg();
const figures: Figure[] = [];
const report = async (measured: readonly Figure[]) => {
  figures.push(...measured);
  console.error(renderTable(measured));
  await writeFile(OUTPUT, `${JSON.stringify(figures, undefined, 2)}\n`);
};
await mkdir(join(OUTPUT, '..'), { recursive: true });
for (const group of chosen) await group.measure({ wanted, rounds, report });
console.log(renderTable(figures));
console.log(
  `Load average of the machine before ${loadBefore.toFixed(1)}, after ${(loadavg()[0] ?? 0).toFixed(1)}.`,
);
