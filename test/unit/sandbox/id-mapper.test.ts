import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findIdMapper, IDMAP } from '../../../src/sandbox/id-mapper.ts';

let root: string;
let path: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'id-mapper-'));
  path = [join(root, 'first'), join(root, 'second')].join(':');
  for (const directory of path.split(':')) await mkdir(directory);
});
afterEach(() => rm(root, { recursive: true }));

async function program(file: string, mode = 0o755): Promise<string> {
  const to = join(root, file);
  await writeFile(to, '');
  await chmod(to, mode);
  return to;
}
const find = (change: { uid?: number; given?: string } = {}): Promise<string[]> =>
  findIdMapper({ uid: 1001, given: undefined, path, shipped: '/dist/idmap', ...change });

it('finds nothing where there is nothing', async () => {
  await program(`first/${IDMAP}`, 0o644);
  expect(await find()).toEqual([]);
});

it('takes the helper on PATH before sudo, and sudo without asking for a password', async () => {
  const sudo = await program('first/sudo');
  expect(await find()).toEqual([sudo, '-n', '--', '/dist/idmap']);
  const helper = await program(`second/${IDMAP}`);
  expect(await find()).toEqual([helper]);
});

it('takes what it is given, there or not: the probe says which', async () => {
  await program(`first/${IDMAP}`);
  expect(await find({ given: '/opt/own/idmap' })).toEqual(['/opt/own/idmap']);
});

it('looks for nothing as root', async () => {
  await program(`first/${IDMAP}`);
  expect(await find({ uid: 0, given: '/opt/own/idmap' })).toEqual([]);
});
