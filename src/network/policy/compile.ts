import type { Table } from '../gateway/table.ts';
import { blockWithout } from './cidr.ts';
import type {
  Allowance,
  LabelledPod,
  NamedPort,
  Namespace,
  Peer,
  Policy,
  PolicyPort,
} from './objects.ts';
import type { Labels } from './selector.ts';

export interface PolicyObjects {
  readonly policies: Iterable<Policy>;
  readonly pods: Iterable<LabelledPod>;
  readonly namespaces: Iterable<Namespace>;
}

/** In the gateway's words: everybody. */
const EVERYBODY = '0.0.0.0/0';

/**
 * A pure function from policies to entries of the gateway's table: `ingress NAMESPACE/POD` and `egress
 * NAMESPACE/POD`, to what is allowed. In a namespace with policies every pod has its entry, and so has
 * `NAMESPACE/*`, with nothing allowed: a pod that is not known yet is isolated. Peers are named, not
 * resolved: the gateway knows a pod's address before the API server does.
 */
export function compilePolicies(objects: PolicyObjects): Table {
  const pods = [...objects.pods];
  const labelsOf = new Map([...objects.namespaces].map(({ name, labels }) => [name, labels]));
  const table = new Map<string, string>();
  for (const [namespace, policies] of Map.groupBy(objects.policies, (policy) => policy.namespace)) {
    const own = pods.filter((pod) => pod.namespace === namespace);
    for (const direction of ['ingress', 'egress'] as const) {
      const isolating = policies.filter((policy) => policy[direction] !== undefined);
      if (isolating.length === 0) continue;
      table.set(`${direction} ${namespace}/*`, '');
      for (const pod of own) {
        const selecting = isolating.filter((policy) => policy.pods(pod.labels));
        const allowances = selecting.flatMap((policy) => policy[direction] ?? []);
        const rules = allowances.flatMap((allowance) =>
          direction === 'ingress'
            ? ingressRules(allowance, pod, pods, labelsOf)
            : egressRules(allowance, pod, pods, labelsOf),
        );
        table.set(
          `${direction} ${nameOf(pod)}`,
          selecting.length === 0 ? EVERYBODY : [...new Set(rules)].sort().join(' '),
        );
      }
    }
  }
  return table;
}

type NamespaceLabels = ReadonlyMap<string, Labels>;

function ingressRules(
  { peers, ports }: Allowance,
  pod: LabelledPod,
  pods: readonly LabelledPod[],
  labelsOf: NamespaceLabels,
): string[] {
  const suffixes = suffixesOf(ports, pod.ports);
  const from = peers?.flatMap((peer) =>
    'cidr' in peer
      ? blockWithout(peer.cidr, peer.except)
      : selected(peer, pod.namespace, pods, labelsOf).map(nameOf),
  );
  return (from ?? [EVERYBODY]).flatMap((name) => suffixes.map((suffix) => name + suffix));
}

/** A port's name means what each destination calls so: nothing to addresses, which name no ports. */
function egressRules(
  { peers, ports }: Allowance,
  { namespace }: LabelledPod,
  pods: readonly LabelledPod[],
  labelsOf: NamespaceLabels,
): string[] {
  const numbered = ports?.filter(({ port }) => typeof port !== 'string');
  const toNetworks = (networks: readonly string[]) =>
    networks.flatMap((network) => suffixesOf(numbered, []).map((suffix) => network + suffix));
  const toPods = (to: readonly LabelledPod[], wanted: typeof ports) =>
    to.flatMap((pod) => suffixesOf(wanted, pod.ports).map((suffix) => nameOf(pod) + suffix));

  if (!peers) {
    const named = ports?.filter(({ port }) => typeof port === 'string') ?? [];
    return [...toNetworks([EVERYBODY]), ...toPods(pods, named)];
  }
  return peers.flatMap((peer) =>
    'cidr' in peer
      ? toNetworks(blockWithout(peer.cidr, peer.except))
      : toPods(selected(peer, namespace, pods, labelsOf), ports),
  );
}

function selected(
  peer: Exclude<Peer, { cidr: string }>,
  own: string,
  pods: readonly LabelledPod[],
  labelsOf: NamespaceLabels,
): LabelledPod[] {
  return pods.filter(
    ({ namespace, labels }) =>
      (peer.namespaces ? peer.namespaces(labelsOf.get(namespace) ?? {}) : namespace === own) &&
      peer.pods(labels),
  );
}

/** What follows a peer in a rule, once for each port; `names` are those of the destination. */
function suffixesOf(
  ports: readonly PolicyPort[] | undefined,
  names: readonly NamedPort[],
): string[] {
  if (!ports) return [''];
  return ports.flatMap(({ protocol, port, endPort }) => {
    // SCTP, which gVisor's network does not have.
    if (protocol !== 'TCP' && protocol !== 'UDP') return [];
    const prefix = `:${protocol.toLowerCase()}`;
    if (port === undefined) return [prefix];
    if (typeof port === 'number') {
      return [endPort === undefined ? `${prefix}:${port}` : `${prefix}:${port}-${endPort}`];
    }
    return names
      .filter((named) => named.name === port && named.protocol === protocol)
      .map((named) => `${prefix}:${named.port}`);
  });
}

function nameOf({ namespace, name }: LabelledPod): string {
  return `${namespace}/${name}`;
}
