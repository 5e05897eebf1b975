import { InputError } from '../errors.ts';
import { imageNames, importArchive } from '../cluster/image-archives.ts';
import { archiveNames } from '../images/archive-names.ts';
import { findImages } from '../images/find.ts';
import type { RunningCluster } from './runs.ts';

/**
 * Loads image archives into a running cluster.
 * @param patterns paths or globs
 * @returns the names by which pods find what the archives hold, whether they were there before or not
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
    const held = await archiveNames(archive);
    const before = await imageNames(cluster);
    await importArchive(cluster, archive);
    const names = loadedNames(held, before, await imageNames(cluster));
    if (names.length === 0) {
      throw new Error(
        `Failed to load ${archive}: no image in it has a name, so no pod could ask for it; give it one where it is built (docker save NAME, ko --tags, skopeo copy ... docker-archive:FILE:NAME)`,
      );
    }
    loaded.push(...names);
  }
  return [...new Set(loaded)];
}

/**
 * @param held what the archive says; of a bare tag containerd makes a name
 * @param before the cluster's names before the import, `after` those after it
 */
export function loadedNames(
  held: readonly string[],
  before: readonly string[],
  after: readonly string[],
): string[] {
  return after.filter(
    (name) =>
      !before.includes(name) ||
      held.includes(name) ||
      (name.startsWith('import-') && held.some((tag) => name.endsWith(`:${tag}`))),
  );
}
