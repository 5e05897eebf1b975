import type { Claim } from './claims.ts';
import { nameOf, type ObjectRef } from './objects.ts';

export interface Conflict {
  readonly loser: Claim;
  readonly holder: Claim;
}

export interface Settled {
  readonly granted: readonly Claim[];
  readonly conflicts: readonly Conflict[];
}

/**
 * Gives each frontend to the oldest object that asks for it. `*:80` and `10.42.0.1:80` cannot both
 * be listened on where the latter is an address of the node, so they are rivals as well. The outcome
 * does not depend on the order of the claims.
 */
export function settle(claims: Iterable<Claim>): Settled {
  const granted: Claim[] = [];
  const conflicts: Conflict[] = [];
  for (const [first, ...others] of Map.groupBy(
    claims,
    ({ key, within }) => within ?? key,
  ).values()) {
    if (!first) continue;
    if (others.length === 0) {
      granted.push(first);
      continue;
    }
    const held: Claim[] = [];
    for (const claim of [first, ...others].sort(byAge)) {
      const holder = held.find((other) => rivals(claim, other));
      if (!holder) held.push(claim);
      else if (!repeats(claim, holder)) conflicts.push({ loser: claim, holder });
    }
    granted.push(...held);
  }
  return { granted, conflicts };
}

/** Oldest first; objects as old as each other by name; of one object's claims the widest first. */
function byAge(a: Claim, b: Claim): number {
  if (a.by.created !== b.by.created) return a.by.created - b.by.created;
  if (a.by.uid !== b.by.uid) return label(a.by) < label(b.by) ? -1 : 1;
  return Number(a.within !== undefined) - Number(b.within !== undefined);
}

function rivals(a: Claim, b: Claim): boolean {
  return a.key === b.key || a.within === b.key || b.within === a.key;
}

/** A Service may ask twice for the same: a nodePort that equals its load balancer's port. */
function repeats(a: Claim, b: Claim): boolean {
  return a.by.uid === b.by.uid && a.value === b.value;
}

function label(ref: ObjectRef): string {
  return `${ref.kind} ${nameOf(ref)}`;
}
