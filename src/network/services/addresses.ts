import { providesLoadBalancer } from './claims.ts';
import type { Service } from './objects.ts';

/** Addresses of a /24 that can be given. */
const SIZE = 254;

/**
 * Gives each load balancer an address of its own out of `range`, a /24 that nothing else is in; none to
 * those for whom none is left. Without a memory: what was announced stays, and any other address follows
 * from the Service's uid, so that it is the same after a restart and whatever the order.
 */
export function balancerAddresses(
  services: Iterable<Service>,
  range: string,
): ReadonlyMap<string, string> {
  const prefix = range.slice(0, range.lastIndexOf('.'));
  const taken = new Set<string>();
  const given = new Map<string, string>();
  const give = ({ ref }: Service, address: string): void => {
    taken.add(address);
    given.set(ref.uid, address);
  };

  const balancers = [...services].filter(providesLoadBalancer).sort(byAge);
  for (const service of balancers) {
    const announced = service.ingress[0]?.ip;
    if (announced?.startsWith(`${prefix}.`) === true && !taken.has(announced)) {
      give(service, announced);
    }
  }
  for (const service of balancers) {
    if (given.has(service.ref.uid)) continue;
    const first = hash(service.ref.uid);
    for (let step = 0; step < SIZE; step += 1) {
      const address = `${prefix}.${1 + ((first + step) % SIZE)}`;
      if (taken.has(address)) continue;
      give(service, address);
      break;
    }
  }
  return given;
}

function byAge({ ref: a }: Service, { ref: b }: Service): number {
  return a.created - b.created || (a.uid < b.uid ? -1 : 1);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value;
}
