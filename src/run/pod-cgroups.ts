import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { exists } from '../files.ts';

const ROOT = '/sys/fs/cgroup';
/** The kubelet's, where it has no root of its own, and the one k3s moves processes to on cgroup v2. */
const NAMES = ['kubepods', 'k3s'];
const POLL_MS = 20;
const PATIENCE_MS = 5_000;

/** Where cgroups of pods are made: in each v1 hierarchy, or in the v2 tree. */
async function candidates(own: string): Promise<string[]> {
  const hierarchies = await readdir(ROOT).catch(() => []);
  const names = [own, ...NAMES];
  return ['', ...hierarchies.filter((name) => !names.includes(name))].flatMap((hierarchy) =>
    names.map((name) => join(ROOT, hierarchy, name)),
  );
}

/**
 * Those that are not there yet. A cgroup outlives every namespace, so these would be left behind.
 * @param own the root of this run's pods
 */
export async function missingPodCgroups(own: string): Promise<string[]> {
  const paths = await candidates(own);
  const present = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => present[index] !== true);
}

/**
 * Removes cgroups and those below them, whose files are the kernel's and go with them. A killed
 * process leaves its cgroup a moment after it was killed.
 * @param remove does it once, and throws with the errno's name as the error's code
 * @returns false where the runner's own mount of the tree is read-only, as Docker makes it for v2:
 *   the empty cgroups stay until the sandbox ends
 */
export async function removeCgroups(
  paths: readonly string[],
  remove: (paths: readonly string[]) => Promise<void> = removeTrees,
): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await remove(paths);
      return true;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (code === 'EROFS') {
        return false;
      }
      if (!['EBUSY', 'ENOTEMPTY', 'ENOENT'].includes(code) || performance.now() > deadline) {
        throw error;
      }
    }
    await delay(POLL_MS);
  }
}

async function removeTrees(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await removeTree(path);
  }
}

async function removeTree(path: string): Promise<void> {
  if (!(await exists(path))) {
    return;
  }
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      await removeTree(join(path, entry.name));
    }
  }
  await rmdir(path);
}
