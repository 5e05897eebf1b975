import { expect, test } from 'vitest';
import { loadedNames } from '../../../src/cli/load.ts';

test.each([
  { what: 'new ones', held: ['a:1'], before: [], after: ['a:1'], names: ['a:1'] },
  {
    what: 'those that were there',
    held: ['a:1'],
    before: ['a:1', 'b:1'],
    after: ['a:1', 'b:1'],
    names: ['a:1'],
  },
  {
    what: "containerd's own name for a bare tag, the second time as well",
    held: ['v3'],
    before: ['c:v3', 'import-2026-11-25:v3'],
    after: ['c:v3', 'import-2026-11-25:v3'],
    names: ['import-2026-11-25:v3'],
  },
  { what: 'nothing that is not there', held: ['a:1'], before: [], after: ['b:1'], names: ['b:1'] },
  { what: 'none', held: [], before: ['a:1'], after: ['a:1'], names: [] },
])('names $what', ({ held, before, after, names }) => {
  expect(loadedNames(held, before, after)).toEqual(names);
});
