import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { plots, renderReliability } from '../../reliability/document.ts';
import type { Results } from '../../reliability/reports.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('docs/reliability.md and its plots are what was found (make soak, make kill, make density)', () => {
  const results = JSON.parse(read('test/reliability/results.json')) as Results;
  expect(read('docs/reliability.md')).toBe(renderReliability(results));
  for (const [name, svg] of Object.entries(plots(results))) {
    expect(read(`docs/plots/${name}`)).toBe(svg);
  }
});

test('what was bad is named', () => {
  const made = { on: '2026-01-02', kubernetes: '1.36.3', cores: 2, memoryGiB: 24 };
  const blow = { victim: 'k3s', signal: 'KILL', rung: 'node Ready', after: 5 } as const;
  const round = {
    blow,
    hit: true,
    code: 1,
    said: '',
    next: 9.5,
    problems: ['left, of mounts: /x'],
  };
  const text = renderReliability({ kill: { seed: 3, rounds: [round], made } });
  expect(text).toContain(
    '`RUNS=1 SEED=3 make kill`, 2026-01-02, Kubernetes 1.36.3, 2 cores, 24 GiB.',
  );
  expect(text).toContain('| k3s | 1 | 1 | 0 | 1 | 1 |');
  expect(text).toContain('- left, of mounts: /x');
});
