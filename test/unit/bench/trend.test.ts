import { expect, it } from 'vitest';

import { growthPerHour, restarts, type Sample } from '../../soak/trend.ts';

const samples = (values: readonly (readonly [minute: number, mib: number, pid: number])[]) =>
  values.map(([minute, mib, pid]): Sample => {
    const part = { pid, mib };
    return {
      minute,
      processes: 1,
      parts: { init: part, gateway: part, controller: part, k3s: part },
    };
  });

it('finds the slope after the caches have filled', () => {
  const filling = [0, 1, 2].map((minute) => [minute, minute * 50, 1] as const);
  const steady = [3, 4, 5, 6, 7, 8].map((minute) => [minute, 100 + minute, 1] as const);
  expect(growthPerHour(samples([...filling, ...steady]), 'gateway')).toBeCloseTo(60);
});

it('knows no slope of one sample', () => {
  expect(growthPerHour(samples([[1, 10, 1]]), 'k3s')).toBe(0);
});

it('counts restarts by the change of the first process', () => {
  const series = samples([1, 1, 2, 2, 3].map((pid, minute) => [minute, 10, pid]));
  expect(restarts(series, 'controller')).toBe(2);
});
