import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCauses, HEADINGS } from '../../../src/run/causes.ts';

/** Lines as they stood in logs, events and errors. */
const SEEN: Readonly<Record<string, readonly [rung: string, line: string]>> = {
  'unknown flag': ['kubeconfig written', 'Error: flag provided but not defined: -no-such-flag'],
  'ended with signal 9': [
    'node Ready',
    'Failed to reach "node Ready": k3s ended with signal 9; init ended with exit code 137; last seen: nothing yet',
  ],
};

describe('findCauses', () => {
  it.each(Object.entries(SEEN))('knows %s', (heading, [rung, line]) => {
    expect(findCauses(['all is well', line], rung)[0]).toMatchObject({ heading, evidence: line });
  });

  it('looks only for what can be the cause at that rung', () => {
    const line = 'web: ErrImagePull: 401 Unauthorized';
    expect(findCauses([line], 'node Ready')).toEqual([]);
    expect(findCauses([line], 'later').map(({ heading }) => heading)).toEqual([
      '401 Unauthorized',
      'ErrImagePull',
    ]);
  });

  it('says nothing about what it does not know', () => {
    expect(findCauses(['all is well'], 'later')).toEqual([]);
  });
});

it('has a heading in docs/troubleshooting.md for each cause', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/troubleshooting.md'), 'utf8');
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(HEADINGS.filter((heading) => !headings.includes(heading))).toEqual([]);
});
