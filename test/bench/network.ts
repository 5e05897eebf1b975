import type { Action } from './action.ts';
import { alternate } from './figure.ts';
import { BENCH_PATH, type ClusterGroup } from './group.ts';
import { applyTraffic, deleteTraffic } from './traffic.ts';

const STREAM_SECONDS = 2;
const CONNECTIONS = 300;
const PATHS = [
  'pod-pod',
  'direct-pod-service',
  'direct-node-service',
  'pod-service',
  'node-service',
  'step-nodeport',
] as const;
type Path = (typeof PATHS)[number];

/** Figure and what the program `traffic` (inside/traffic.c) is asked for. */
const MEASURES = [
  { figure: 'service-path', kind: 'stream', amount: STREAM_SECONDS, unit: 'MB/s' },
  { figure: 'service-connect', kind: 'connect', amount: CONNECTIONS, unit: 'ms' },
  { figure: 'connections', kind: 'connections', amount: STREAM_SECONDS, unit: '1/s' },
] as const;

/**
 * A pod's server, reached by its address, by a Service on the direct path, and by each way that is
 * relayed: one stream, and connecting.
 */
export const network: ClusterGroup = {
  figures: MEASURES.flatMap(({ figure }) => PATHS.map((path) => `${figure}.${path}`)),
  async measure(cluster, { wanted, rounds, report }) {
    await applyTraffic(cluster);
    const run = await clients(cluster);
    for (const { figure, kind, amount, unit } of MEASURES) {
      const names = PATHS.map((path) => [`${figure}.${path}`, path] as const);
      if (!names.some(([name]) => wanted(name))) continue;
      const measures = names.map(
        ([name, path]) =>
          [name, async () => Number(await run(path, kind, String(amount)))] as const,
      );
      const against = `${figure}.pod-pod`;
      const figures = await alternate(Object.fromEntries(measures), { rounds, unit, against });
      await report(figures.filter(({ name }) => wanted(name)));
    }
    await deleteTraffic(cluster);
  },
};

/** Runs the client where the path begins, towards where it leads. */
async function clients(
  cluster: Action,
): Promise<(path: Path, kind: string, amount: string) => Promise<string>> {
  const get = async (object: string, field: string) =>
    (await cluster.step(['kubectl', 'get', object, `--output=jsonpath={${field}}`])).stdout;
  const service = await get('service/server', '.spec.clusterIP');
  const relayed = await get('service/relayed', '.spec.clusterIP');
  const targets: Readonly<Record<Path, readonly [address: string, port: string]>> = {
    'pod-pod': [await get('pod/server', '.status.podIP'), '8080'],
    'direct-pod-service': [service, '80'],
    'direct-node-service': [service, '80'],
    'pod-service': [relayed, '80'],
    'node-service': [relayed, '80'],
    'step-nodeport': ['127.0.0.1', await get('service/server', '.spec.ports[0].nodePort')],
  };
  return async (path, kind, amount) => {
    const argv = [`${BENCH_PATH}/traffic`, kind, ...targets[path], amount];
    switch (path) {
      case 'step-nodeport':
        return (await cluster.step(argv)).stdout;
      case 'node-service':
      case 'direct-node-service':
        return (await cluster.node(argv)).stdout;
      default:
        return (await cluster.step(['kubectl', 'exec', 'client', '--', ...argv])).stdout;
    }
  };
}
