import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

import { ApiClient } from './client.ts';

/** How to reach the API server and who to be. PEM texts. */
export interface Access {
  readonly server: URL;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
}

/**
 * What `work` makes of a client for the cluster of a kubeconfig's file; its connections end with it.
 * @throws if the file cannot be read, and what `work` throws
 */
export async function withClient<T>(
  kubeconfig: string,
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const client = new ApiClient(parseKubeconfig(await readFile(kubeconfig, 'utf8')));
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/**
 * Reads the current context of a kubeconfig whose credentials are inline, as k3s writes it.
 * @throws Error naming what is missing: a half-written file ends so as well.
 */
export function parseKubeconfig(text: string): Access {
  const config = parse(text) as Kubeconfig | null;
  const name = config?.['current-context'];
  const context = named(config?.contexts, name, 'context').context;
  const cluster = named(config?.clusters, context?.cluster, 'cluster').cluster;
  const user = named(config?.users, context?.user, 'user').user;
  if (!cluster?.server) throw new Error(`cluster ${String(context?.cluster)} has no server`);
  return {
    server: new URL(cluster.server),
    ca: pem(cluster['certificate-authority-data']),
    cert: pem(user?.['client-certificate-data']),
    key: pem(user?.['client-key-data']),
    token: user?.token,
  };
}

interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name: string; context?: { cluster?: string; user?: string } }[];
  clusters?: {
    name: string;
    cluster?: { server?: string; 'certificate-authority-data'?: string };
  }[];
  users?: {
    name: string;
    user?: { 'client-certificate-data'?: string; 'client-key-data'?: string; token?: string };
  }[];
}

function named<T extends { name: string }>(
  list: T[] | undefined,
  name: string | undefined,
  kind: string,
): T {
  const found = list?.find((entry) => entry.name === name);
  if (!found) throw new Error(`no ${kind} named ${name ?? '(none given)'}`);
  return found;
}

function pem(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}
