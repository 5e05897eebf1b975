import { describe as suite, expect, it } from 'vitest';
import { parseWorkarounds } from '../../../src/inputs/workarounds.ts';
import { assertForced, assertKnown, decide, describe } from '../../../src/plan/forced.ts';
import type { Context, Workaround } from '../../../src/plan/part.ts';
import { WORKAROUNDS } from '../../../src/plan/parts/index.ts';

const part = (needed: string | undefined): Workaround => ({
  id: 'thing',
  kind: 'workaround',
  where: { isolation: 'namespaces' },
  symptom: 'it breaks',
  source: 'https://example.org',
  removeWhen: 'never',
  needed: () => needed,
  contribute: () => ({}),
});
const context = { mode: 'full', isolation: 'namespaces' } as Context;

suite('what the input workarounds forces', () => {
  it.each([
    { given: '', needed: 'lacking', reason: 'lacking', leftOut: undefined },
    { given: '', needed: undefined, reason: undefined, leftOut: undefined },
    { given: '+thing', needed: 'lacking', reason: 'lacking', leftOut: undefined },
    {
      given: '+thing',
      needed: undefined,
      reason: 'the input workarounds asks for it',
      leftOut: undefined,
    },
    {
      given: '-thing',
      needed: 'lacking',
      reason: undefined,
      leftOut:
        'thing is left out by the input workarounds (lacking); what is seen without it: it breaks',
    },
    { given: '-thing', needed: undefined, reason: undefined, leftOut: undefined },
  ])('is "$given" for a part that is needed: $needed', ({ given, needed, reason, leftOut }) => {
    const { id, ...decision } = decide(part(needed), context, parseWorkarounds(given));
    expect(id).toBe('thing');
    expect({ leftOut: undefined, ...decision }).toEqual({ reason, leftOut });
  });

  it('asks no part where it has no place', () => {
    const elsewhere = { ...context, isolation: 'none' } as Context;
    expect(decide(part('lacking'), elsewhere, new Map()).reason).toBeUndefined();
  });

  it.each([
    {
      given: '+no-such -nor-this',
      error: /^workarounds: there is no no-such, no nor-this; choose/,
    },
    {
      given: '-private-root',
      error: /^workarounds: private-root cannot be left out, .*files of k3s, containerd/,
    },
  ])('is refused before anything is made: $given', ({ given, error }) => {
    expect(() => {
      assertKnown(parseWorkarounds(given));
    }).toThrow(error);
  });

  it('names all parts to choose from', () => {
    expect(() => {
      assertKnown(parseWorkarounds('+x'));
    }).toThrow(WORKAROUNDS.map(({ id }) => id).join(', '));
  });

  it('is refused where it has no place', () => {
    const place = { mode: 'control-plane', isolation: 'namespaces' } as const;
    const assert = (given: string) => () => {
      assertForced(parseWorkarounds(given), place);
    };
    expect(assert('+sysctl-overlay')).toThrow(
      'workarounds: sysctl-overlay has no place here: it is for runs of mode full or node in namespaces of its own; what can be had here is mode control-plane, in namespaces of its own',
    );
    expect(assert('-sysctl-overlay +proxy')).not.toThrow();
  });

  it.each([
    ['thing', /^workarounds: "thing" is neither on nor off; write \+id or -id/],
    ['+thing, -thing', /^workarounds: thing is given twice/],
  ])('is written with a sign, once: %s', (given, error) => {
    expect(() => parseWorkarounds(given)).toThrow(error);
  });

  it('says where a part has its place', () => {
    expect(describe({})).toBe('every run');
    expect(describe({ isolation: 'none' })).toBe("every run among the runner's own files");
  });
});
