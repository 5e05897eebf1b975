import type { Inputs } from '../inputs/inputs.ts';
import type { Context } from './part.ts';

/** How the cluster's DNS comes about. */
export interface CorednsPlan {
  /** k3s's own manifest; null where it cannot be had, or would say something else here. */
  readonly template: string | null;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  /** What CoreDNS's file of hosts says of this node. */
  readonly nodeHosts: string;
}

/** Flags of k3s that put into the manifest what is not known here. */
const OTHER_VALUES: readonly string[] = ['cluster-domain', 'system-default-registry'];

/** Undefined where no pods run, or none of CoreDNS is wanted. */
export function planCoredns(
  { mode, k3s, addresses, nodeName }: Pick<Context, 'mode' | 'k3s' | 'addresses' | 'nodeName'>,
  { components, k3sArgs }: Pick<Inputs, 'components' | 'k3sArgs'>,
): CorednsPlan | undefined {
  if (mode !== 'full' || !components.includes('coredns')) {
    return undefined;
  }
  const isOwn = !k3sArgs.flags.some(({ name }) => OTHER_VALUES.includes(name));
  return {
    template: isOwn ? k3s.coredns : null,
    clusterDns: addresses.clusterDns,
    clusterDomain: 'cluster.local',
    nodeHosts: `${addresses.node} ${nodeName}\n`,
  };
}
