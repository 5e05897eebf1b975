import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const manifest = JSON.parse(read('package.json')) as Record<string, unknown> & {
  allowScripts: Record<string, boolean>;
  devDependencies: Record<string, string>;
};
const action = parse(read('action.yml')) as { runs: Record<'using' | 'main' | 'post', string> };

test('whoever installs the package installs nothing else: the bundles hold what they need', () => {
  expect(manifest).not.toHaveProperty('dependencies');
  expect(manifest).not.toHaveProperty('private');
});

test('the node that everything runs on is allowed to install itself, which npm 12 asks for', () => {
  expect(manifest.devDependencies).toHaveProperty('node');
  expect(manifest.allowScripts).toEqual({ node: true });
});

test('versions are exact', () => {
  const loose = Object.entries(manifest.devDependencies).filter(([, range]) => !/^\d/.test(range));
  expect(loose).toEqual([]);
});

test('what action.yml runs is there', () => {
  expect([action.runs.main, action.runs.post].map((path) => existsSync(join(ROOT, path)))).toEqual([
    true,
    true,
  ]);
});
