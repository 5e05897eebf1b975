/** Each third of a series after the caches have filled must have at least so many samples. */
const FEWEST = 3;

/**
 * Whether something grows without end: even its least of the last third is more than its most of the
 * third before. What fills at first, and what goes up and down, is no drift.
 * @param values in the order they were seen
 * @returns undefined where there are too few to say
 */
export function drifts(values: readonly number[]): boolean | undefined {
  const third = Math.floor(values.length / 3);
  if (third < FEWEST) return undefined;
  const last = values.slice(-third);
  const before = values.slice(-2 * third, -third);
  return Math.min(...last) > Math.max(...before);
}

/** How often a part's first process was another one than in the sample before. */
export function restarts(pids: readonly number[]): number {
  return pids.filter((pid, index) => index > 0 && pid !== pids[index - 1]).length;
}
