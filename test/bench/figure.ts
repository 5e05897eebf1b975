/** One measured thing, as build/bench.json keeps it. */
export interface Figure {
  name: string;
  median: number;
  unit: string;
  /** How often it was measured. */
  n: number;
  /** Half the distance between the quartiles, in the unit. */
  spread: number;
  /** Over `against`, pair by pair as they were measured in turn: the median of the pairs. */
  ratio?: number;
  against?: string;
}

/** The value below which the given part of the values lies, between two of them if need be. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (low === undefined || high === undefined) throw new Error('Failed to summarise: no values');
  return low + (high - low) * (at - Math.floor(at));
}

/** What one thing measured, in the order of the rounds. */
export interface Series {
  name: string;
  values: readonly number[];
}

export function summarise(unit: string, { name, values }: Series, against?: Series): Figure {
  const figure = {
    name,
    median: quantile(values, 0.5),
    unit,
    n: values.length,
    spread: (quantile(values, 0.75) - quantile(values, 0.25)) / 2,
  };
  if (!against) return figure;
  const ratios = values.map((value, round) => {
    const base = against.values[round];
    if (base === undefined) throw new Error(`Failed to compare ${name}: no pair in round ${round}`);
    return value / base;
  });
  return { ...figure, ratio: quantile(ratios, 0.5), against: against.name };
}

/**
 * Measures all of them in turn, `rounds` times, so that whatever slows the machine for a while
 * slows each of them. Ratios are against `against`, which is one of the names.
 */
export async function alternate(
  measures: Readonly<Record<string, () => Promise<number>>>,
  { rounds, unit, against }: { rounds: number; unit: string; against: string },
): Promise<Figure[]> {
  const values = new Map(Object.keys(measures).map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(measures)) {
      values.get(name)?.push(await measure());
    }
  }
  const base = values.get(against);
  if (!base) throw new Error(`Failed to compare with ${against}: it was not measured`);
  return [...values].map(([name, list]) =>
    name === against
      ? summarise(unit, { name, values: list })
      : summarise(unit, { name, values: list }, { name: against, values: base }),
  );
}
