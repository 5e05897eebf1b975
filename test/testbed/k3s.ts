import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { command } from './command.ts';
import { cacheDir, testbedDir } from './paths.ts';
import { released } from './releases.ts';

/** The Kubernetes release the stand-in is built from, unless a test asks for another. */
export const kubernetesVersion = '1.36.3';

const NEWEST = '1.37.2';

/** The ones the main test runs on; with `VERSIONS=all` one of each minor version that is supported. */
export const testedVersions: readonly string[] =
  process.env['VERSIONS'] === 'all'
    ? ['1.35.4', kubernetesVersion, NEWEST]
    : [kubernetesVersion, NEWEST];

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
