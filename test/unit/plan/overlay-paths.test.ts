import { expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { layoutOf } from '../../../src/layout.ts';
import { assertOverlayPaths } from '../../../src/plan/overlay-paths.ts';

const check = (state: string, dataDir: string): void => {
  assertOverlayPaths(layoutOf(state, '/dist', 'x64', '/node'), { dataDir });
};

it.each([
  ['/state', '/tools'],
  ['/a b/c:d', `/${'long'.repeat(50)}/tools`],
])('takes %s and %s', (state, tools) => {
  expect(() => {
    check(state, tools);
  }).not.toThrow();
});

it.each([
  ['/a,b', '/tools', 'RUNNER_TEMP, or the option state: "/a,b/scratch" has a comma'],
  ['/state', '/a,b', 'RUNNER_TOOL_CACHE, or XDG_CACHE_HOME: "/a,b" has a comma'],
  ['/state', '/a:b', 'RUNNER_TOOL_CACHE, or XDG_CACHE_HOME: "/a:b" has a colon'],
])('refuses %s with %s', (state, tools, message) => {
  expect(() => {
    check(state, tools);
  }).toThrow(InputError);
  expect(() => {
    check(state, tools);
  }).toThrow(message);
});
