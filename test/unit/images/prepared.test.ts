import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BLOBS,
  DATABASES,
  findPrepared,
  imagesKey,
  INDEX,
  SNAPSHOTS,
} from '../../../src/images/prepared.ts';
import { inventory } from '../../../src/supply/inventory.ts';

let directory: string;

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), content);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prepared-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('prepared images', () => {
  beforeEach(async () => {
    await write(`root/${SNAPSHOTS}/1/fs/etc/passwd`, 'root:x:0:0::/:/bin/sh\n');
    await write(`root/${BLOBS}/abc`, 'layer');
    for (const path of DATABASES) await write(`root/${path}`, 'database');
    await write(INDEX, JSON.stringify(await inventory(join(directory, 'root'))));
  });

  it('are found while they are whole', async () => {
    expect(await findPrepared(directory)).toEqual({
      directory: join(directory, 'root'),
      snapshots: ['1'],
      blobs: ['abc'],
    });
  });

  it.each<[damage: string, act: () => Promise<void>]>([
    ['a file that was changed', () => appendFile(join(directory, 'root', BLOBS, 'abc'), '!')],
    ['a file that is gone', () => rm(join(directory, 'root', DATABASES[0]))],
    ['a file more', () => write(`root/${SNAPSHOTS}/1/fs/new`, '')],
    ['an index that ends early', () => write(INDEX, '{"a')],
    ['no index', () => rm(join(directory, INDEX))],
  ])('are not found with %s', async (_, act) => {
    await act();
    expect(await findPrepared(directory)).toBeUndefined();
  });
});

describe('the key of prepared images', () => {
  const keyOf = (tars: readonly string[], k3s = 'k3s', namespaces = ['user', 'mount']) =>
    imagesKey(
      tars.map((name) => join(directory, name)),
      k3s,
      namespaces,
    );

  it('is of what is in the tars, the k3s and the user namespace, not of names', async () => {
    await write('a.tar', 'one');
    await write('b.tar', 'two');
    await write('c.tar', 'one');
    const key = await keyOf(['a.tar', 'b.tar']);
    expect(await keyOf(['b.tar', 'c.tar'])).toBe(key);
    expect(await keyOf(['a.tar'])).not.toBe(key);
    expect(await keyOf(['a.tar', 'b.tar'], 'another')).not.toBe(key);
    expect(await keyOf(['a.tar', 'b.tar'], 'k3s', ['mount'])).not.toBe(key);
  });
});
