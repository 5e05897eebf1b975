import { BlockList } from 'node:net';

/** The IPv4 networks of the cluster and the addresses with a role in them. */
export interface Addresses {
  /** Pods and the node's bridge, a /16. */
  readonly podCidr: string;
  /** The one node's share of it, a /24: what k3s gives to the first node. */
  readonly nodeCidr: string;
  readonly serviceCidr: string;
  /** The node's address: the bridge's. */
  readonly node: string;
  /** The node's default route names this neighbour, which does not exist: what would go there is redirected first. */
  readonly nowhere: string;
  readonly clusterDns: string;
}

/** First two octets of pods and services; k3s's own defaults come first. */
const CANDIDATES = [
  ['10.42', '10.43'],
  ['10.142', '10.143'],
  ['172.26', '172.27'],
  ['10.242', '10.243'],
] as const;

/**
 * The first pair of networks that the runner has no address in: a pod could not reach a runner's
 * neighbour whose address is a pod's too.
 * @throws if every candidate is taken.
 */
export function chooseAddresses(runnerNetworks: readonly string[]): Addresses {
  const free = CANDIDATES.find((pair) =>
    pair.every((prefix) => !runnerNetworks.some((network) => overlap(`${prefix}.0.0/16`, network))),
  );
  if (free === undefined) {
    throw new Error(
      `Failed to choose the cluster's networks: the runner has addresses in all of ${CANDIDATES.flat().join(', ')}`,
    );
  }
  const [pods, services] = free;
  return {
    podCidr: `${pods}.0.0/16`,
    nodeCidr: `${pods}.0.0/24`,
    serviceCidr: `${services}.0.0/16`,
    node: `${pods}.0.1`,
    nowhere: `${pods}.0.254`,
    clusterDns: `${services}.0.10`,
  };
}

function overlap(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one);
}

/** Whether the base address of `inner` lies in `outer`; of two networks that share an address, one holds the other's base. */
function contains(outer: string, inner: string): boolean {
  const [address = '', prefix] = outer.split('/');
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), 'ipv4');
  return list.check(inner.split('/')[0] ?? '', 'ipv4');
}
