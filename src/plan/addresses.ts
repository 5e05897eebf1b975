import { BlockList } from 'node:net';
import { InputError } from '../errors.ts';
import type { Networks } from '../inputs/k3s-args.ts';

/** The IPv4 networks of the cluster and the addresses with a role in them. */
export interface Addresses {
  /** Pods and the node's bridge. */
  readonly podCidr: string;
  /** The one node's share of it, a /24: what k3s gives to the first node. */
  readonly nodeCidr: string;
  readonly serviceCidr: string;
  /** What LoadBalancers get their addresses of. */
  readonly loadBalancerCidr: string;
  /** The node's address: the bridge's. */
  readonly node: string;
  /** The node's default route names this neighbour, which does not exist: what would go there is redirected first. */
  readonly nowhere: string;
  readonly clusterDns: string;
}

/** First two octets of pods, services and load balancers; k3s's own defaults come first. */
const CANDIDATES = [
  ['10.42', '10.43', '10.44'],
  ['10.142', '10.143', '10.144'],
  ['172.26', '172.27', '172.28'],
  ['10.242', '10.243', '10.244'],
] as const;

/**
 * The networks that were asked for, and for the rest the first candidates that the runner has no
 * address in: a pod could not reach a runner's neighbour whose address is a pod's too.
 * @throws InputError if what was asked for does not fit, or every candidate is taken
 */
export function chooseAddresses(
  runnerNetworks: readonly string[],
  { pods, services, dns }: Networks = {},
): Addresses {
  const asked = [pods, services].filter((network) => network !== undefined);
  const rivals = [...runnerNetworks, ...asked];
  const free = CANDIDATES.find((networks) =>
    networks.every((prefix) => !rivals.some((rival) => overlap(`${prefix}.0.0/16`, rival))),
  );
  if (free === undefined) {
    throw new InputError(
      `Failed to choose the cluster's networks: ${rivals.join(', ')} overlap with all of ${CANDIDATES.flat().join(', ')}`,
    );
  }
  const podCidr = pods ?? `${free[0]}.0.0/16`;
  const serviceCidr = services ?? `${free[1]}.0.0/16`;
  const base = networkOf(podCidr);
  const clusterDns = dns ?? addressIn(serviceCidr, 10);
  const problems = [
    ...asked.flatMap((network) =>
      runnerNetworks
        .filter((own) => overlap(network, own))
        .map((own) => `${network} overlaps with the runner's own network ${own}`),
    ),
    ...(overlap(podCidr, serviceCidr)
      ? [`--cluster-cidr ${podCidr} and --service-cidr ${serviceCidr} overlap`]
      : []),
    ...(contains(serviceCidr, clusterDns)
      ? []
      : [`--cluster-dns ${clusterDns} is not in the Services' network ${serviceCidr}`]),
  ];
  if (problems.length > 0) {
    throw new InputError(problems.map((problem) => `k3s-args: ${problem}`).join('\n'));
  }
  return {
    podCidr,
    nodeCidr: `${base}/24`,
    serviceCidr,
    loadBalancerCidr: `${free[2]}.0.0/24`,
    node: addressIn(podCidr, 1),
    nowhere: addressIn(podCidr, 254),
    clusterDns,
  };
}

function networkOf(cidr: string): string {
  return cidr.slice(0, cidr.indexOf('/'));
}

/** The address that lies `offset`, less than 256, behind the network's own. */
function addressIn(cidr: string, offset: number): string {
  const base = networkOf(cidr);
  return `${base.slice(0, base.lastIndexOf('.'))}.${offset}`;
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
