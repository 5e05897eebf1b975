import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The name native/idmap is installed under. */
export const IDMAP = 'k3s-in-gvisor-idmap';

/** What the input says where none is to be used. */
export const NO_ID_MAPPER = 'none';

/** Where it is looked for beside PATH: what a Dockerfile adds, and what an init container fills. */
const PLACES = ['/usr/local/bin', '/opt/k3s-in-gvisor'];

export interface IdMapperSearch {
  readonly uid: number;
  /** The input id-map-helper; undefined where it was not given. */
  readonly given: string | undefined;
  readonly path: string;
  /** native/idmap as it ships, without capabilities. */
  readonly shipped: string;
}

/**
 * The program, with its arguments, that may map every id for a runner that is not root: the helper,
 * else sudo, which works only where runsc runs with -allow-suid. Whether it does, the probe finds.
 * @returns empty for root, who needs none, and where there is none
 */
export async function findIdMapper(search: IdMapperSearch): Promise<string[]> {
  const { uid, given, path, shipped } = search;
  if (uid === 0) {
    return [];
  }
  if (given !== undefined) {
    return [given];
  }
  const directories = path.split(delimiter).filter((directory) => directory !== '');
  const helper = await firstExecutable(IDMAP, [...directories, ...PLACES]);
  if (helper !== undefined) {
    return [helper];
  }
  const sudo = await firstExecutable('sudo', directories);
  return sudo === undefined ? [] : [sudo, '-n', '--', shipped];
}

async function firstExecutable(
  name: string,
  directories: readonly string[],
): Promise<string | undefined> {
  const paths = directories.map((directory) => join(directory, name));
  const found = await Promise.all(
    paths.map((path) =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.find((_, index) => found[index]);
}
