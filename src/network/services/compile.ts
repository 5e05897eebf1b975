import { balancerAddresses } from './addresses.ts';
import {
  claimsOfPod,
  claimsOfService,
  type Claims,
  type LoadBalancer,
  type Node,
} from './claims.ts';
import type { Notice } from '../notice.ts';
import { nameOf, type ObjectRef, type Pod, type Service, type Slice } from './objects.ts';
import { settle, type Conflict } from './settle.ts';
import type { Table } from '../gateway/table.ts';

export interface Objects {
  readonly services: Iterable<Service>;
  readonly slices: Iterable<Slice>;
  readonly pods: Iterable<Pod>;
}

export interface Compiled {
  readonly table: Table;
  /** Who asked for each entry of the table. */
  readonly owners: ReadonlyMap<string, ObjectRef>;
  readonly notices: readonly Notice[];
  /** The load balancers this controller provides, less those whose address another object has. */
  readonly loadBalancers: readonly LoadBalancer[];
}

/**
 * A pure function from objects to the gateway's table. Objects are never changed in place, so it
 * remembers what each Service came to and does again only those of which a part is another object:
 * after one change the rest is merging.
 */
export function compiler(node: Node): (objects: Objects) => Compiled {
  const remembered = new WeakMap<
    Service,
    { slices: readonly Slice[]; balancer: string | undefined; claims: Claims }
  >();

  const ofService = (
    service: Service,
    slices: readonly Slice[],
    balancer: string | undefined,
  ): Claims => {
    const known = remembered.get(service);
    if (known && known.balancer === balancer && same(known.slices, slices)) return known.claims;
    const claims = claimsOfService(service, slices, node, balancer);
    remembered.set(service, { slices, balancer, claims });
    return claims;
  };

  return ({ services, slices, pods }) => {
    const slicesOf = Map.groupBy(slices, ({ service }) => service);
    const all: Claims[] = [];
    const present = [...services];
    const balancers = balancerAddresses(present, node.balancers);
    for (const service of present) {
      const its = slicesOf.get(nameOf(service.ref)) ?? [];
      all.push(ofService(service, its, balancers.get(service.ref.uid)));
    }
    const writers: ObjectRef[] = [];
    for (const pod of pods) {
      all.push(claimsOfPod(pod, node));
      if (pod.writesRules) writers.push(pod.ref);
    }
    return assemble(all, writers);
  };
}

function assemble(all: readonly Claims[], writers: readonly ObjectRef[]): Compiled {
  const { granted, conflicts } = settle(all.flatMap(({ claims }) => claims));
  const table = new Map<string, string>();
  const owners = new Map<string, ObjectRef>();
  for (const { key, value, by } of granted) {
    table.set(key, value);
    owners.set(key, by);
  }
  for (const pod of writers) table.set(`own ${nameOf(pod)}`, '');
  const lost = new Set(conflicts.map(({ loser }) => `${loser.by.uid} ${loser.key}`));
  return {
    table,
    owners,
    notices: [...all.flatMap(({ notices }) => notices), ...conflicts.map(noticeOf)],
    loadBalancers: all.flatMap(({ loadBalancer }) =>
      loadBalancer?.keys.every((key) => !lost.has(`${loadBalancer.service.ref.uid} ${key}`))
        ? [loadBalancer]
        : [],
    ),
  };
}

function noticeOf({ loser: { key, by, what }, holder }: Conflict): Notice {
  return {
    about: by,
    reason: 'PortConflict',
    message:
      `Failed to listen on ${key} for ${what}: ` +
      `${holder.by.kind} ${nameOf(holder.by)} (${holder.what}) is older and has ${holder.key}`,
  };
}

function same(a: readonly Slice[], b: readonly Slice[]): boolean {
  return a.length === b.length && a.every((slice, index) => slice === b[index]);
}
