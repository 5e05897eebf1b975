import { dirname, join } from 'node:path';
import type { Isolation } from '../mode.ts';
import type { Operation } from '../namespaces/operations.ts';
import { BLOBS, DATABASES, SNAPSHOTS, type PreparedImages } from '../images/prepared.ts';

/**
 * Gives containerd, whose root directory is `root`, the prepared images: its databases as copies,
 * which it writes, and links to each layer and blob, which it only reads. New ones go beside them.
 */
export function usePrepared(
  { directory, snapshots, blobs }: PreparedImages,
  root: string,
): Operation[] {
  const link = (path: string): Operation => ['symlink', join(directory, path), join(root, path)];
  return [
    ['directory', join(root, SNAPSHOTS), '0700'],
    ['directory', join(root, BLOBS), '0755'],
    ...snapshots.map((name) => link(join(SNAPSHOTS, name))),
    ...blobs.map((name) => link(join(BLOBS, name))),
    ...DATABASES.flatMap((path): Operation[] => [
      ['directory', dirname(join(root, path)), '0755'],
      ['copy', join(directory, path), join(root, path), '0600'],
    ]),
  ];
}

/**
 * Hands k3s the tars to import as it starts. Links of a name each: two of one name in different
 * directories must not hide each other.
 * @param data k3s's data directory
 */
export function importTars(
  tars: readonly string[],
  data: string,
  isolation: Isolation,
): Operation[] {
  const directory = join(data, 'agent', 'images');
  return [
    ['directory', directory, '0755'],
    ...tars.flatMap((path, index): Operation[] => {
      const link = join(directory, `${index}-${path.slice(path.lastIndexOf('/') + 1)}`);
      return isolation === 'none'
        ? [['symlink', path, link]]
        : [
            ['write', link, '0644', ''],
            ['bind', path, link, 'read-only'],
          ];
    }),
  ];
}
