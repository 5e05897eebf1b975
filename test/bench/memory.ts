import type { ClusterGroup } from './group.ts';
import { summarise } from './figure.ts';
import { PS, residentParts } from './resident.ts';

/** Long enough for what a start leaves to do: leases, resyncs, garbage collection. */
const REST_SECONDS = 20;

export const memory: ClusterGroup = {
  figures: ['memory.k3s', 'memory.controller', 'memory.gateway', 'memory.init'],
  async measure(cluster, { rounds, report }) {
    const values = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++) {
      await cluster.step(['sleep', String(REST_SECONDS)]);
      const { stdout } = await cluster.step(PS);
      for (const [name, { mib }] of Object.entries(residentParts(stdout))) {
        values.set(name, [...(values.get(name) ?? []), mib]);
      }
    }
    await report(
      [...values].map(([name, list]) => summarise('MiB', { name: `memory.${name}`, values: list })),
    );
  },
};
