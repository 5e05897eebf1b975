/**
 * What the gateway is to do: from `tcp 10.43.0.10:53` to the rest of its `set` line, which is the
 * affinity and the endpoints, in one fixed order so that equal texts mean equal behaviour.
 */
export type Table = ReadonlyMap<string, string>;

/** A change of one frontend; without a value the frontend goes. */
export interface Change {
  readonly key: string;
  readonly value: string | undefined;
}

/**
 * The fewest changes that turn one table into another. Those that free a frontend come first, so
 * that a port can move between Services in one batch; within that, by key.
 */
export function diff(from: Table, to: Table): Change[] {
  const gone: Change[] = [];
  const changed: Change[] = [];
  for (const key of from.keys()) if (!to.has(key)) gone.push({ key, value: undefined });
  for (const [key, value] of to) if (from.get(key) !== value) changed.push({ key, value });
  return [...gone.sort(byKey), ...changed.sort(byKey)];
}

/** The line of the gateway's control protocol, without its newline. */
export function line({ key, value }: Change): string {
  if (value === undefined) return `del ${key}`;
  return value === '' ? `set ${key}` : `set ${key} ${value}`;
}

function byKey(a: Change, b: Change): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
