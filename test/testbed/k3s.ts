import { join } from 'node:path';

import { command } from './command.ts';
import { cacheDir, testbedDir } from './paths.ts';

/** The Kubernetes release the stand-in is built from, unless a test asks for another. */
export const kubernetesVersion = '1.34.4';

/**
 * The k3s binary for tests: the one the environment variable `K3S` names, or the stand-in, whose
 * build keeps its own cache.
 */
export async function k3s(version = kubernetesVersion): Promise<string> {
  const given = process.env['K3S'];
  if (given) return given;
  const path = join(cacheDir, `k3s-${version}`);
  await command([join(testbedDir, 'k3s/build'), version, path], { showProgress: true });
  return path;
}
