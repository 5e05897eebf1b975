import { InputError } from '../errors.ts';
import { imageNames, importArchive } from '../cluster/image-archives.ts';
import { findImages } from '../images/find.ts';
import type { RunningCluster } from './runs.ts';

/**
 * Loads image archives into a running cluster.
 * @param patterns paths or globs
 * @returns the names that were not there before, or now name another image
 * @throws InputError for a file that is not there, Error if an archive names no image
 */
export async function load(
  cluster: RunningCluster,
  patterns: readonly string[],
): Promise<string[]> {
  const archives = await findImages(patterns).catch((error: unknown) => {
    throw error instanceof InputError
      ? new InputError(error.message.replace(/^images: /, 'load: '))
      : error;
  });
  const loaded: string[] = [];
  for (const archive of archives) {
    const before = new Set(await imageNames(cluster));
    await importArchive(cluster, archive);
    const names = (await imageNames(cluster)).filter((name) => !before.has(name));
    if (names.length === 0) {
      // Loaded again, most likely: what it names was there.
      continue;
    }
    loaded.push(...names);
  }
  return loaded;
}
