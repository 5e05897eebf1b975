import { InputError } from '../errors.ts';
import { importArchive } from '../cluster/image-archives.ts';
import { findImages } from '../images/find.ts';
import type { RunningCluster } from './runs.ts';

/**
 * Loads image archives into a running cluster.
 * @param patterns paths or globs
 * @returns the names they hold
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
    const names = await importArchive(cluster, archive);
    if (names.length === 0) {
      throw new Error(
        `Failed to load ${archive}: no image in it has a name, so no pod could ask for it; give it one where it is built (docker save NAME, ko --tags, skopeo copy ... docker-archive:FILE:NAME)`,
      );
    }
    loaded.push(...names);
  }
  return loaded;
}
