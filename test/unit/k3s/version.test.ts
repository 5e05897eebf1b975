import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { mayAnswer, newest, parseVersion } from '../../../src/k3s/version.ts';

describe('parseVersion', () => {
  it.each([
    ['v1.34.1+k3s1', { kind: 'tag', tag: 'v1.34.1+k3s1' }],
    ['v1.35.0-rc1+k3s1', { kind: 'tag', tag: 'v1.35.0-rc1+k3s1' }],
    ['1.34.1+k3s1', { kind: 'tag', tag: 'v1.34.1+k3s1' }],
    ['v1.34.1-k3s1', { kind: 'tag', tag: 'v1.34.1+k3s1' }],
    ['v1.35.0-rc1-k3s2', { kind: 'tag', tag: 'v1.35.0-rc1+k3s2' }],
    ['stable', { kind: 'channel', name: 'stable' }],
    ['latest', { kind: 'channel', name: 'latest' }],
    ['testing', { kind: 'channel', name: 'testing' }],
    ['v1.34', { kind: 'channel', name: 'v1.34' }],
    ['1.34', { kind: 'channel', name: 'v1.34' }],
    ['>=1.33 <1.35', { kind: 'range', range: '>=1.33 <1.35' }],
    ['~1.34.1', { kind: 'range', range: '~1.34.1' }],
    ['1.34.x', { kind: 'range', range: '1.34.x' }],
    ['v1.34.1', { kind: 'range', range: 'v1.34.1' }],
  ])('reads %s', (text, request) => {
    expect(parseVersion(text)).toEqual(request);
  });

  it.each(['', 'newest', 'Stable', 'k3s1', 'v1.34.1 + k3s1', '1.34 or 1.35'])(
    'refuses %j',
    (text) => {
      expect(() => parseVersion(text)).toThrow(InputError);
      expect(() => parseVersion(text)).toThrow(`version: "${text}" is not a k3s version`);
    },
  );
});

it('takes 1.3 for what YAML made of 1.30', () => {
  expect(() => parseVersion('1.3')).toThrow("write it in quotes: '1.30'");
});

describe('mayAnswer', () => {
  it.each([
    ['stable', 'v1.34.1+k3s1', true],
    ['stable', 'v1.35.0-rc1+k3s1', false],
    ['testing', 'v1.35.0-rc1+k3s1', true],
    ['v1.3', 'v1.34.1+k3s1', false],
    ['v1.34', 'v1.34.1+k3s1', true],
    ['v1.34', 'v1.35.1+k3s1', false],
    ['>=1.33 <1.35', 'v1.34.9+k3s1', true],
    ['>=1.33 <1.35', 'v1.35.0+k3s1', false],
    ['>=1.33', 'v1.35.0-rc1+k3s1', false],
    ['v1.34.1+k3s2', 'v1.34.1+k3s1', false],
  ])('%s by %s: %s', (text, tag, answer) => {
    expect(mayAnswer(parseVersion(text), tag)).toBe(answer);
  });
});

describe('newest', () => {
  it.each([
    [[], undefined],
    [['v1.9.1+k3s1', 'v1.34.1+k3s1'], 'v1.34.1+k3s1'],
    [['v1.34.1+k3s9', 'v1.34.1+k3s10', 'v1.34.1+k3s2'], 'v1.34.1+k3s10'],
    [['v1.35.0-rc1+k3s1', 'v1.35.0+k3s1'], 'v1.35.0+k3s1'],
  ])('of %j is %s', (tags, tag) => {
    expect(newest(tags)).toBe(tag);
  });
});
