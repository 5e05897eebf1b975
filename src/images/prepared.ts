import { createHash } from 'node:crypto';
import { readdir, utimes } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { readJson } from '../files.ts';
import { inventory, isSame, type Inventory } from '../supply/inventory.ts';
import { sha256Of } from '../supply/verify.ts';

/** In the place of a release's tag in the tool cache. */
export const TAG = 'images';

/** Image tars that were imported and unpacked before: what containerd keeps of them. */
export interface PreparedImages {
  /** A copy of containerd's root directory; only read. */
  readonly directory: string;
  /** Names below SNAPSHOTS and BLOBS. */
  readonly snapshots: readonly string[];
  readonly blobs: readonly string[];
}

/** Where containerd has them, below its root directory. */
export const SNAPSHOTTER = 'io.containerd.snapshotter.v1.overlayfs';
export const SNAPSHOTS = join(SNAPSHOTTER, 'snapshots');
export const BLOBS = join('io.containerd.content.v1.content', 'blobs', 'sha256');
/** Its databases: of images and blobs, and of snapshots. */
export const DATABASES = [
  join('io.containerd.metadata.v1.bolt', 'meta.db'),
  join(SNAPSHOTTER, 'metadata.db'),
] as const;

/** Written last: its directory is whole. */
export const INDEX = 'index.json';

/**
 * What tells one set of prepared images from another: the bytes of each tar, the k3s that unpacked
 * them, and the kernel and user namespace on which it did, since overlays differ between those.
 */
export async function imagesKey(
  tars: readonly string[],
  k3s: string,
  namespaces: readonly string[],
): Promise<string> {
  const hashes = await Promise.all(tars.map(sha256Of));
  const kernel = `${process.platform} ${process.arch} ${release()}`;
  return createHash('sha256')
    .update(JSON.stringify([hashes.sort(), k3s, kernel, namespaces.includes('user')]))
    .digest('hex');
}

/** What was prepared in `directory`, if all of it is there, with the sizes and times it had. */
export async function findPrepared(directory: string): Promise<PreparedImages | undefined> {
  const index = (await readJson(join(directory, INDEX))) as Inventory | undefined;
  const root = join(directory, 'root');
  if (index === undefined || !isSame(index, await inventory(root))) {
    return undefined;
  }
  // What is not used for long is removed.
  await utimes(directory, new Date(), new Date()).catch(() => undefined);
  return {
    directory: root,
    snapshots: await readdir(join(root, SNAPSHOTS)),
    blobs: await readdir(join(root, BLOBS)),
  };
}
