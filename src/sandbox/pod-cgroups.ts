import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../files.ts';

const ROOT = '/sys/fs/cgroup';

/** Where the kubelet makes its pods' cgroups: in each v1 hierarchy, or in the v2 tree. */
async function candidates(): Promise<string[]> {
  const names = await readdir(ROOT).catch(() => []);
  return ['', ...names].map((name) => join(ROOT, name, 'kubepods'));
}

/** Those that are not there yet. A cgroup outlives every namespace, so these are left behind. */
export async function missingPodCgroups(): Promise<string[]> {
  const paths = await candidates();
  const present = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => present[index] !== true);
}

/** Removes a cgroup and those below it, whose files are the kernel's and go with them. */
export async function removeCgroup(path: string): Promise<void> {
  if (!(await exists(path))) {
    return;
  }
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      await removeCgroup(join(path, entry.name));
    }
  }
  await rmdir(path);
}
