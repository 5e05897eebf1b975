import { expect, test } from 'vitest';

import { contentKey } from '../../testbed/cache.ts';

test.each([
  [
    ['a', 'bc'],
    ['ab', 'c'],
  ],
  [['a'], ['a', '']],
  [
    ['a', 'b'],
    ['b', 'a'],
  ],
])('%j and %j are different content', (one, other) => {
  expect(contentKey(one)).not.toBe(contentKey(other));
});

test('text and the same bytes are the same content', () => {
  expect(contentKey(['aé'])).toBe(contentKey([Buffer.from('aé')]));
});
