import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse, stringify } from 'yaml';

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

/** Copies k3s's kubeconfig to `to`, mode 0600, with the address at which the runner's steps reach the API server. */
export async function writeKubeconfig(from: string, to: string, server: string): Promise<void> {
  const config = parse(await readFile(from, 'utf8')) as Kubeconfig;
  for (const { cluster } of config.clusters) {
    cluster.server = server;
  }
  await mkdir(dirname(to), { recursive: true });
  await writeFile(`${to}.partial`, stringify(config), { mode: 0o600 });
  await rename(`${to}.partial`, to);
}
