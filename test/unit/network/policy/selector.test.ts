import { describe, expect, test } from 'vitest';

import { selectorOf } from '../../../../src/network/policy/selector.ts';
import type { SelectorJson } from '../../../../src/network/policy/wire.ts';

const expression = (operator: string, values?: string[]): SelectorJson => ({
  matchExpressions: [{ key: 'app', operator, ...(values && { values }) }],
});

describe('selectorOf', () => {
  test.each<[SelectorJson, string[]]>([
    [{}, ['web', 'db', 'none']],
    [{ matchLabels: { app: 'web' } }, ['web']],
    [{ matchLabels: { app: 'web', tier: 'x' } }, []],
    [expression('In', ['web', 'db']), ['web', 'db']],
    [expression('NotIn', ['web']), ['db', 'none']],
    [expression('Exists'), ['web', 'db']],
    [expression('DoesNotExist'), ['none']],
    [expression('Unheard'), []],
    [{ matchLabels: { app: 'web' }, ...expression('NotIn', ['web']) }, []],
  ])('%j selects %j', (json, selected) => {
    const labels = { web: { app: 'web' }, db: { app: 'db' }, none: {} };
    const names = Object.entries(labels).filter(([, each]) => selectorOf(json)(each));
    expect(names.map(([name]) => name)).toEqual(selected);
  });
});
