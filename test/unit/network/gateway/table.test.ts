import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { diff, line, type Change } from '../../../../src/network/gateway/table.ts';

const key = fc
  .tuple(
    fc.constantFrom('tcp', 'udp'),
    fc.constantFrom('*', '10.43.0.1'),
    fc.integer({ min: 1, max: 9 }),
  )
  .map(([protocol, address, port]) => `${protocol} ${address}:${port}`);
const table = fc
  .array(fc.tuple(key, fc.constantFrom('', '10.42.0.5:80', 'affinity=60 10.42.0.5:80')))
  .map((entries) => new Map(entries));

describe('diff', () => {
  test('applied to the old table gives the new one, with no line to spare', () => {
    fc.assert(
      fc.property(table, table, (from, to) => {
        const changes = diff(from, to);
        expect(apply(from, changes)).toEqual(to);
        for (const { key, value } of changes) expect(from.get(key)).not.toBe(value);
        expect(new Set(changes.map(({ key }) => key)).size).toBe(changes.length);
      }),
    );
  });

  test('does not depend on the order of the tables', () => {
    fc.assert(
      fc.property(table, table, (from, to) => {
        expect(diff(reversed(from), reversed(to))).toEqual(diff(from, to));
      }),
    );
  });

  test('frees before it takes, each by key', () => {
    const from = new Map([
      ['tcp *:81', ''],
      ['tcp *:80', ''],
    ]);
    const to = new Map([
      ['tcp *:30', 'b'],
      ['tcp *:20', 'a'],
    ]);
    expect(diff(from, to).map(line)).toEqual([
      'del tcp *:80',
      'del tcp *:81',
      'set tcp *:20 a',
      'set tcp *:30 b',
    ]);
  });
});

test('a frontend without endpoints is a line without a trailing space', () => {
  expect(line({ key: 'udp 10.43.0.1:53', value: '' })).toBe('set udp 10.43.0.1:53');
});

function apply(from: ReadonlyMap<string, string>, changes: Change[]) {
  const result = new Map(from);
  for (const { key, value } of changes) {
    if (value === undefined) result.delete(key);
    else result.set(key, value);
  }
  return result;
}

function reversed(table: ReadonlyMap<string, string>) {
  return new Map([...table].reverse());
}
