import { isIPv4 } from 'node:net';

import type { Endpoint, ServicePort, Slice } from './objects.ts';

/** The endpoints of one Service port, as `IP:PORT`, sorted, each once. */
export interface PortEndpoints {
  readonly cluster: readonly string[];
  /** Those on the node of the name. */
  readonly on: (nodeName: string) => readonly string[];
}

/**
 * Chooses as kube-proxy does (pkg/proxy/topology.go, CategorizeEndpoints): the ready ones; only when
 * there is none, those that are terminating and still serving; for the cluster and for each node
 * separately. publishNotReadyAddresses needs nothing here: its slices say ready.
 */
export function endpointsOf(port: ServicePort, slices: readonly Slice[]): PortEndpoints {
  const candidates: Candidate[] = [];
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    for (const { name, protocol, port: number } of slice.ports) {
      if (name !== port.name || protocol !== port.protocol) continue;
      for (const endpoint of slice.endpoints) {
        if (!isIPv4(endpoint.address)) continue;
        candidates.push({ endpoint, target: `${endpoint.address}:${number}` });
      }
    }
  }
  return {
    cluster: usable(candidates),
    on: (nodeName) => usable(candidates.filter(({ endpoint }) => endpoint.nodeName === nodeName)),
  };
}

interface Candidate {
  readonly endpoint: Endpoint;
  readonly target: string;
}

function usable(candidates: readonly Candidate[]): readonly string[] {
  const ready = candidates.filter(({ endpoint }) => endpoint.ready);
  const chosen = ready.length
    ? ready
    : candidates.filter(({ endpoint }) => endpoint.serving && endpoint.terminating);
  return [...new Set(chosen.map(({ target }) => target))].sort();
}
