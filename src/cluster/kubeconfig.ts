import { link, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse, stringify } from 'yaml';
import { errorMessage, InputError } from '../errors.ts';

/** What it takes to talk to the API server as its administrator. */
export interface Credentials {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

/** @throws if the file is not a kubeconfig with an embedded client certificate, as k3s writes it. */
export async function readCredentials(path: string): Promise<Credentials> {
  const config = parse(await readFile(path, 'utf8')) as Partial<Kubeconfig> | null;
  const cluster = config?.clusters?.[0]?.cluster;
  const user = config?.users?.[0]?.user;
  if (cluster === undefined || user === undefined) {
    throw new Error(`Failed to read ${path}: it has no cluster or no user`);
  }
  const decode = (data: string): string => Buffer.from(data, 'base64').toString('utf8');
  return {
    server: cluster.server,
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
}

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
  const config = parse(await readFile(from, 'utf8')) as Kubeconfig;
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
