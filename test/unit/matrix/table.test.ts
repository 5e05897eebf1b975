import { expect, it } from 'vitest';
import { renderTable, type Finding } from '../../matrix/table.ts';

const FULL: Finding = { mode: 'full', fellShort: [] };
const NODE: Finding = {
  mode: 'node',
  fellShort: [{ mode: 'full', obstacles: ['ids: no (EPERM); add a line', 'a|b'] }],
};

it('numbers the reason of each cell that falls short, once', () => {
  const findings: Record<string, Finding> = { 'a x': FULL, 'a y': NODE, 'b x': NODE, 'b y': FULL };
  const finding = (runner: string, sandbox: string): Finding =>
    findings[`${runner} ${sandbox}`] ?? FULL;
  expect(renderTable(['a', 'b'], ['x', 'y'], finding)).toBe(
    [
      '| the runner | x | y |',
      '| --- | --- | --- |',
      '| a | full | node (1) |',
      '| b | node (1) | full |',
      '',
      '1. ids: no (EPERM)',
    ].join('\n'),
  );
});

it('says so where nothing runs', () => {
  const nothing: Finding = { fellShort: [{ mode: 'full', obstacles: ['no mount'] }] };
  expect(renderTable(['a'], ['x'], () => nothing)).toContain('| a | nothing (1) |');
});
