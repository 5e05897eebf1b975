import { expect, test } from 'vitest';

import { blows, VICTIMS } from '../../reliability/blows.ts';

test('are the same ones for the same seed, and others for another', () => {
  expect(blows(7, 40)).toEqual(blows(7, 40));
  expect(blows(7, 40)).not.toEqual(blows(8, 40));
  // More of them begin with the same ones.
  expect(blows(7, 50).slice(0, 40)).toEqual(blows(7, 40));
});

test('fall on each victim as often, at any moment', () => {
  const all = blows(1, 1_000);
  const count = Object.keys(VICTIMS).length;
  for (const of of Map.groupBy(all, ({ victim }) => victim).values()) {
    expect(of).toHaveLength(1_000 / count);
  }
  const after = all.map((blow) => blow.after);
  expect(Math.min(...after)).toBeLessThan(50);
  expect(Math.max(...after)).toBeGreaterThan(1_900);
  expect(new Set(all.map(({ rung }) => rung)).size).toBe(6);
});

test.each([
  ['k3s', '/opt/cache/unpacked-1/bin/k3s server'],
  ['containerd', 'containerd -c /var/lib/rancher/k3s/agent/etc/containerd/config.toml'],
  ['a shim', '/x/bin/containerd-shim-runc-v2 -namespace k8s.io -id 1'],
] as const)('know %s by its command line', (victim, line) => {
  const known = Object.entries(VICTIMS).filter(([, pattern]) => pattern?.test(line));
  expect(known.map(([name]) => name)).toEqual([victim]);
});
