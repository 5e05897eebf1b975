import { expect, test } from 'vitest';

import { drifts, restarts } from '../../reliability/trend.ts';

test.each([
  { what: 'what grows and grows', values: [1, 2, 3, 4, 5, 6, 7, 8, 9], is: true },
  { what: 'what fills and stays', values: [1, 5, 9, 10, 10, 10, 10, 10, 10], is: false },
  { what: 'what goes up and down', values: [5, 9, 5, 9, 5, 9, 5, 9, 6], is: false },
  { what: 'what is given back', values: [9, 9, 9, 9, 9, 9, 1, 1, 1], is: false },
  { what: 'what nobody can say yet', values: [1, 2, 3, 4, 5, 6, 7, 8], is: undefined },
])('$what: a drift is $is', ({ values, is }) => {
  expect(drifts(values)).toBe(is);
});

test('counts restarts by the change of the process', () => {
  expect(restarts([1, 1, 2, 2, 3])).toBe(2);
});
