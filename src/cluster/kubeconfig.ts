import { link, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse, stringify } from 'yaml';
import { errorMessage, InputError } from '../errors.ts';

/**
 * What is at a path that the user named is the user's: it is neither written over nor removed.
 * @throws InputError if there is something at `path`
 */
export async function assertUnused(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw new InputError(`kubeconfig: cannot be made: ${errorMessage(error)}`);
  });
  if (found?.isDirectory() === true) {
    throw new InputError(
      `kubeconfig: "${path}" is a directory; give the path of a file that is to be made, such as ${path}/k3s.yaml`,
    );
  }
  if (found !== undefined) {
    throw new InputError(
      `kubeconfig: "${path}" exists, and what is yours is never written over; give another path, or leave kubeconfig out and use the output of that name`,
    );
  }
}

/**
 * Copies k3s's kubeconfig to `to`, mode 0600, with the address at which the runner's steps reach the
 * API server, and with a name of its own: k3s's is `default` for everything. It appears whole.
 * @throws if there is something at `to`
 */
export async function writeKubeconfig(
  from: string,
  to: string,
  { server, name }: { readonly server: string; readonly name: string },
): Promise<void> {
  const config = parse(await readFile(from, 'utf8')) as {
    clusters: { cluster: object }[];
    users: { user: object }[];
  };
  const own = {
    ...config,
    clusters: config.clusters.map(({ cluster }) => ({ name, cluster: { ...cluster, server } })),
    users: config.users.map(({ user }) => ({ name, user })),
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  await mkdir(dirname(to), { recursive: true });
  const draft = `${to}.${process.pid}.partial`;
  try {
    await writeFile(draft, stringify(own), { mode: 0o600, flag: 'wx' });
    // Unlike a rename, a link never takes the place of another file.
    await link(draft, to);
  } finally {
    await rm(draft, { force: true });
  }
}
