import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { archiveNames, fullName } from '../../../src/images/archive-names.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'archive-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** A tar with a layer before each file, as long as none of Node's buffers. */
function archive(files: Readonly<Record<string, unknown>>, ...options: string[]): string {
  const names = Object.entries(files).flatMap(([name, content], index) => {
    writeFileSync(join(root, `layer${index}`), 'x'.repeat(100_001));
    writeFileSync(join(root, name), JSON.stringify(content));
    return [`layer${index}`, name];
  });
  const path = join(root, 'archive');
  execFileSync('tar', ['-C', root, ...options, '-cf', path, ...names]);
  return path;
}

const docker = [
  { Config: 'c', RepoTags: ['app:1', 'registry.example:5000/team/app:2'] },
  { Config: 'd', RepoTags: null },
];
const oci = {
  manifests: [
    { annotations: { 'io.containerd.image.name': 'docker.io/library/app:1', other: 'x' } },
    { annotations: { 'org.opencontainers.image.ref.name': 'v3' } },
    {},
  ],
};

it.each([
  ['uncompressed', []],
  ['by gzip', ['--gzip']],
  ['by zstd', ['--zstd']],
  ['with names that begin with ./', ['--transform=s,^,./,']],
])('says all names of an archive %s', async (_, options) => {
  expect(await archiveNames(archive({ 'manifest.json': docker }, ...options))).toEqual([
    'docker.io/library/app:1',
    'registry.example:5000/team/app:2',
  ]);
});

it('knows OCI archives, and those that are both', async () => {
  expect(await archiveNames(archive({ 'index.json': oci }))).toEqual([
    'docker.io/library/app:1',
    'v3',
  ]);
  expect(
    await archiveNames(archive({ 'index.json': oci, 'manifest.json': docker.slice(0, 1) })),
  ).toEqual(['docker.io/library/app:1', 'v3', 'registry.example:5000/team/app:2']);
});

it('finds none in another tar, and says which file is none', async () => {
  expect(await archiveNames(archive({ 'other.json': {} }))).toEqual([]);
  const path = join(root, 'text');
  writeFileSync(path, 'x'.repeat(600));
  await expect(archiveNames(path)).rejects.toThrow(
    `Failed to read the names of ${path}: it is no tar`,
  );
});

describe('fullName', () => {
  test.each([
    ['app', 'docker.io/library/app:latest'],
    ['team/app:1', 'docker.io/team/app:1'],
    ['localhost/app:1', 'localhost/app:1'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['ghcr.io/team/app:1', 'ghcr.io/team/app:1'],
  ])('%s is %s', (short, full) => {
    expect(fullName(short)).toBe(full);
  });
});
