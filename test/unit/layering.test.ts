import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

/** From the ground up, as in docs/architecture.md: a room imports only from those before it. */
const ROOMS = [
  '.',
  'supply',
  'kubernetes',
  'namespaces',
  'sandbox',
  'k3s',
  'interceptor',
  'images',
  'inputs',
  'plan',
  'cluster',
  'metrics',
  'network',
  'run',
  'report',
  'action',
  'cli',
  'entries',
];

const roomOf = (path: string): string =>
  path.includes('/') ? path.slice(0, path.indexOf('/')) : '.';

const files = globSync('**/*.ts', { cwd: SRC });

/** Each import of one source file by another, by their paths below src. */
const imports = files.flatMap((file) =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g)].map(
    ([, target = '']) => ({ file, target: relative(SRC, join(SRC, dirname(file), target)) }),
  ),
);

it('finds the rooms and their imports', () => {
  expect([...new Set(files.map(roomOf))].sort()).toEqual([...ROOMS].sort());
  expect(imports.length).toBeGreaterThan(200);
});

it('has no import that runs back up', () => {
  const upwards = imports.filter(
    ({ file, target }) => ROOMS.indexOf(roomOf(target)) > ROOMS.indexOf(roomOf(file)),
  );
  expect(upwards).toEqual([]);
});

it('has no import into a part of the plan, but from the plan and the run', () => {
  const strangers = imports.filter(
    ({ file, target }) =>
      target.startsWith('plan/parts/') && !['plan', 'run'].includes(roomOf(file)),
  );
  expect(strangers).toEqual([]);
});

it.each(['action', 'cli', 'controller', 'importer'])('has three lines in entries/%s', (name) => {
  const lines = readFileSync(join(SRC, 'entries', `${name}.ts`), 'utf8')
    .trim()
    .split('\n');
  expect(lines.length).toBeLessThanOrEqual(5);
});
