import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** After this many milliseconds what a killed job left behind is nobody's any more. */
const STALE_MS = 24 * 3_600_000;

/** Removes the old directories in `parent` whose names begin with `prefix`; best effort. */
export async function removeStale(parent: string, prefix: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((entry) => entry.startsWith(prefix))) {
    const path = join(parent, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < Date.now() - STALE_MS) {
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}
