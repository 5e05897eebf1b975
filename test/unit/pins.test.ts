import { expect, test } from 'vitest';

import { assertDefaultIsPinned, pinnedOfEachMinor } from '../../scripts/releases/pins.ts';

const pins = { 'v1.35.9+k3s1': {}, 'v1.35.10+k3s1': {}, 'v1.36.4+k3s1': {}, 'v1.36.4+k3s2': {} };

test('the newest pinned release of each minor version is tested', () => {
  expect(pinnedOfEachMinor(pins, ['1.35', '1.36'])).toEqual(['v1.35.10+k3s1', 'v1.36.4+k3s2']);
});

test('a minor version that nobody pinned is an error, not left out', () => {
  expect(() => pinnedOfEachMinor(pins, ['1.35', '1.37'])).toThrow(
    'Failed to find a k3s 1.37 to test',
  );
  expect(() => pinnedOfEachMinor(pins, ['1.3'])).toThrow('1.3 ');
});

test('nothing is released whose default nobody pinned', () => {
  expect(() => {
    assertDefaultIsPinned(pins, 'v1.34.1+k3s1');
  }).toThrow("v1.34.1+k3s1 is action.yml's default");
  assertDefaultIsPinned(pins, 'v1.35.9+k3s1');
});
