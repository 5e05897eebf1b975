import { describe, expect, it } from 'vitest';

import { alternate, summarise } from '../../bench/figure.ts';

describe('summarise', () => {
  it('takes the median and half the distance between the quartiles', () => {
    expect(summarise('s', { name: 'a', values: [9, 1, 2, 4, 3] })).toEqual({
      name: 'a',
      median: 3,
      unit: 's',
      n: 5,
      spread: 1,
    });
  });

  it('compares pair by pair, so that a slow round does not count', () => {
    const base = { name: 'base', values: [1, 10, 1] };
    const { ratio, against } = summarise('s', { name: 'a', values: [2, 20, 2] }, base);
    expect({ ratio, against }).toEqual({ ratio: 2, against: 'base' });
  });

  it.each([
    [[], undefined, 'Failed to summarise: no values'],
    [[1, 2], [1], 'Failed to compare a: no pair in round 1'],
  ])('refuses %j against %j', (values, base, message) => {
    const against = base && { name: 'base', values: base };
    expect(() => summarise('s', { name: 'a', values }, against)).toThrow(message);
  });
});

it('measures in turn', async () => {
  const order: string[] = [];
  const measure = (name: string, value: number) => () => {
    order.push(name);
    return Promise.resolve(value);
  };
  const figures = await alternate(
    { a: measure('a', 2), b: measure('b', 6) },
    { rounds: 2, unit: 'ms', against: 'a' },
  );
  expect(order).toEqual(['a', 'b', 'a', 'b']);
  expect(figures.map(({ ratio }) => ratio)).toEqual([undefined, 3]);
});
