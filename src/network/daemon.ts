import { readFile } from 'node:fs/promises';
import { apply, untilDone, type Applied } from '../kubernetes/apply.ts';
import { ApiClient } from '../kubernetes/client.ts';
import type { Config } from './config.ts';
import { serveHealth } from './health.ts';
import { kubeconfigs } from '../kubernetes/kubeconfig-file.ts';
import type { Log } from '../log.ts';
import { serveMetrics } from '../metrics/server.ts';
import { Network } from './network.ts';
import { NodeStorage } from './node-storage.ts';

/**
 * The whole daemon: health at once, the network as soon as there is a kubeconfig. Ends only by an
 * error or the signal. `ready` is called when the first complete table is in force.
 */
export async function runController(
  config: Config,
  say: Log,
  ready: () => void,
  signal: AbortSignal,
): Promise<never> {
  let network: Network | undefined = undefined;
  await serveHealth(
    config.metricsPort,
    {
      notReady: () =>
        network ? network.notReady() : `no usable kubeconfig at ${config.kubeconfig} yet`,
      metrics: () => network?.metrics() ?? [],
    },
    signal,
  );

  const accesses = kubeconfigs(config.kubeconfig, say, signal);
  const { value: access } = await accesses.next();
  say(`Following the API server at ${access.server.origin}`);
  const client = new ApiClient(access);
  network = new Network(config, client, say, ready);
  return Promise.race([
    network.run(signal),
    ...storage(client),
    ...metrics(client),
    ...objects(client),
    followChanges(),
  ]);

  function storage(client: ApiClient): Promise<never>[] {
    const { ephemeralStorage, nodeName } = config;
    return ephemeralStorage === undefined
      ? []
      : [new NodeStorage(client, nodeName, ephemeralStorage, say).run(signal)];
  }

  function metrics(client: ApiClient): Promise<never>[] {
    const { metricsApiPort: port, nodeIp: ip } = config;
    return port === undefined ? [] : [serveMetrics(client, { ip, port }, say, signal)];
  }

  /** Ends only if it cannot read the file. */
  function objects(client: ApiClient): Promise<never>[] {
    const { objects: path } = config;
    return path === undefined ? [] : [applyFile(path, client, say, signal)];
  }

  async function followChanges(): Promise<never> {
    for await (const changed of accesses) {
      say(`${config.kubeconfig} changed`);
      client.use(changed);
    }
    throw new Error(`Failed to watch ${config.kubeconfig}: ended`);
  }
}

async function applyFile(
  path: string,
  client: ApiClient,
  say: Log,
  signal: AbortSignal,
): Promise<never> {
  const objects = JSON.parse(await readFile(path, 'utf8')) as Applied[];
  await untilDone('apply objects', () => apply(client, objects, signal), say, signal);
  return new Promise<never>(() => undefined);
}
