import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { command } from './command.ts';
import { cacheDir, testbedDir } from './paths.ts';
import { released } from './releases.ts';

/** The Kubernetes release the stand-in is built from, unless a test asks for another. */
export const kubernetesVersion = '1.34.4';

/** One release of each minor version that the action claims to run. */
const ALL_VERSIONS = ['1.33.13', kubernetesVersion, '1.35.4', '1.36.3'] as const;

/** The ones the main test runs on: the usual one and the newest, or with `VERSIONS=all` all. */
export const testedVersions: readonly string[] =
  process.env['VERSIONS'] === 'all' ? ALL_VERSIONS : [kubernetesVersion, ALL_VERSIONS[3]];

/**
 * The k3s binary for tests: the one the environment variable `K3S` names, the official one where
 * releases are taken, or the stand-in, whose build keeps its own cache.
 */
export async function k3s(version = kubernetesVersion): Promise<string> {
  const given = process.env['K3S'] ?? (await released('k3s'));
  if (given) return given;
  const path = join(cacheDir, `k3s-${version}`);
  const fresh = `${path}.${process.pid}`;
  await command([join(testbedDir, 'k3s/build'), version, fresh], { showProgress: true });
  // Sandboxes have it mounted, and Linux binds no file that was replaced since ("No such file or
  // directory"): one that is as it was stays.
  if (await same(fresh, path)) await rm(fresh);
  else await rename(fresh, path);
  return path;
}

async function same(a: string, b: string): Promise<boolean> {
  if (!existsSync(b)) return false;
  return command(['cmp', '--silent', a, b]).then(
    () => true,
    () => false,
  );
}
