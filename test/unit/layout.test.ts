import { expect, it } from 'vitest';
import { whyUnusable } from '../../src/layout.ts';

it.each([
  ['/home/runner/_work/_temp/k3s-in-gvisor-aB3xyz', undefined],
  ['/home/my runner/_temp/k3s-in-gvisor-aB3xyz', /blank/],
  ['/home/a,b/x', /comma/],
  ['/home/a:b/x', /comma/],
])('%s', (path, why) => {
  if (why === undefined) {
    expect(whyUnusable(path)).toBeUndefined();
  } else {
    expect(whyUnusable(path)).toMatch(why);
  }
});
