import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { findImages } from '../../../src/images/find.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'find images '));
  mkdirSync(join(directory, 'more', 'still'), { recursive: true });
  for (const name of ['a.tar', 'b[1].tar', 'c.txt', 'more/d.tar', 'more/still/e.tar.gz']) {
    writeFileSync(join(directory, name), '');
  }
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

it.each([
  [['a.tar'], ['a.tar']],
  [['b[1].tar'], ['b[1].tar']],
  [
    ['*.tar', 'a.tar'],
    ['a.tar', 'b[1].tar'],
  ],
  [['**/*.tar'], ['a.tar', 'b[1].tar', 'more/d.tar']],
  [['more'], ['more/d.tar', 'more/still/e.tar.gz']],
  [['m*'], ['more/d.tar', 'more/still/e.tar.gz']],
])('%j is %j', async (patterns, files) => {
  const found = await findImages(patterns.map((pattern) => join(directory, pattern)));
  expect(found).toEqual(files.map((name) => join(directory, name)));
});

it('refuses what matches no file', async () => {
  await expect(findImages([join(directory, '*.zip')])).rejects.toThrow(InputError);
});

it('writes nothing to stdout, which a script reads', async () => {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  await findImages([join(directory, '*.tar')]);
  expect(written).not.toHaveBeenCalled();
  written.mockRestore();
});
