import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Action } from './action.ts';
import { summarise } from './figure.ts';
import { BENCH_PATH, type ClusterGroup } from './group.ts';

const SERVICES = 1000;
const ENDPOINTS = 5;
const NAMESPACE = 'bench-rules';

/** Programming a thousand Services with five endpoints each, and one change among them. */
export const rules: ClusterGroup = {
  figures: ['rules.program-5000', 'rules.one-change'],
  async measure(cluster, { wanted, rounds, report }) {
    await createServices(cluster);
    const read = async (script: string) => {
      const { stdout } = await cluster.node(['node', `${BENCH_PATH}/${script}`, String(rounds)]);
      return JSON.parse(stdout) as number[];
    };
    for (const [name, unit, script] of [
      ['rules.program-5000', 's', 'restart-controller.ts'],
      ['rules.one-change', 'ms', 'change-endpoint.ts'],
    ] as const) {
      if (wanted(name)) await report([summarise(unit, { name, values: await read(script) })]);
    }
    await cluster.step(['kubectl', 'delete', 'namespace', NAMESPACE]);
  },
};

async function createServices(cluster: Action): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'rules-'));
  try {
    await writeFile(join(directory, 'services.json'), JSON.stringify(manyServices()));
    await cluster.sandbox.copyIn(directory, '/opt/bench-manifests');
  } finally {
    await rm(directory, { recursive: true });
  }
  await cluster.step(['kubectl', 'create', 'namespace', NAMESPACE]);
  await cluster.step(['kubectl', 'create', '--filename', '/opt/bench-manifests/services.json']);
}

/** Addresses of the pods' network that nobody has: nobody connects to them. */
function manyServices(): object {
  const items = Array.from({ length: SERVICES }, (_, index) => {
    const metadata = { name: `service-${index}`, namespace: NAMESPACE };
    const endpoints = Array.from({ length: ENDPOINTS }, (_, endpoint) => ({
      addresses: [`10.42.${100 + endpoint}.${1 + (index % 250)}`],
      conditions: { ready: true },
    }));
    return [
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
        addressType: 'IPv4',
        ports: [{ port: 8080, protocol: 'TCP' }],
        endpoints,
      },
    ];
  });
  return { apiVersion: 'v1', kind: 'List', items: items.flat() };
}
