import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from './cache.ts';
import { command } from './command.ts';
import { testbedDir } from './paths.ts';

/** The Kubernetes release the stand-in is built from, unless a test asks for another. */
export const kubernetesVersion = '1.34.4';

/**
 * The k3s binary for tests: the one the environment variable `K3S` names, or the stand-in built from
 * `k3s/`.
 */
export async function k3s(version = kubernetesVersion): Promise<string> {
  return process.env['K3S'] ?? standIn(version);
}

async function standIn(version: string): Promise<string> {
  const source = join(testbedDir, 'k3s');
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const contents = await Promise.all(files.map((file) => readFile(file)));
  const names = files.map((file) => file.slice(source.length));
  return cached(`k3s-${version}`, [process.arch, ...names, ...contents], async (path) => {
    await command([join(source, 'build'), version, path]);
  });
}
