import type { Part, Resident } from '../bench/resident.ts';

export interface Sample {
  minute: number;
  parts: Record<Part, Resident>;
  processes: number;
}

/**
 * MiB an hour by which a part grows: the slope of the least-squares line, without the first third,
 * in which caches fill. 0 for fewer than two samples.
 */
export function growthPerHour(samples: readonly Sample[], part: Part): number {
  const settled = samples.slice(Math.floor(samples.length / 3));
  const points = settled.map(({ minute, parts }) => ({ x: minute / 60, y: parts[part].mib }));
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.y))];
  const width = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const common = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  return width === 0 ? 0 : common / width;
}

/** How often a part's first process was another one than in the sample before. */
export function restarts(samples: readonly Sample[], part: Part): number {
  return samples.filter(
    (sample, index) => index > 0 && sample.parts[part].pid !== samples[index - 1]?.parts[part].pid,
  ).length;
}
