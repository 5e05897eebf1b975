import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

import { kubernetesVersion } from '../testbed/k3s.ts';
import { plots, renderReliability } from './document.ts';
import type { Made, Reports, Results } from './reports.ts';

const FILE = join(import.meta.dirname, 'results.json');
const DOCS = join(import.meta.dirname, '../../docs');

/** Keeps a report in place of the one before, and writes docs/reliability.md and its plots anew. */
export async function record(report: Partial<Reports>): Promise<void> {
  const made: Made = {
    on: new Date().toISOString().slice(0, 10),
    kubernetes: kubernetesVersion,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
  const before = JSON.parse(await readFile(FILE, 'utf8')) as Results;
  const now = Object.entries(report).map(([name, found]) => [name, { ...found, made }]);
  const results = { ...before, ...Object.fromEntries(now) } as Results;
  await writeFile(FILE, `${JSON.stringify(results, undefined, 2)}\n`);
  await writeFile(join(DOCS, 'reliability.md'), renderReliability(results));
  await mkdir(join(DOCS, 'plots'), { recursive: true });
  for (const [name, svg] of Object.entries(plots(results))) {
    await writeFile(join(DOCS, 'plots', name), svg);
  }
}
