import { expect, test } from 'vitest';

import { addressesOf } from '../../testbed/network.ts';

test.each([
  [0, '198.18.0.1', '198.18.0.2'],
  [1, '198.18.0.5', '198.18.0.6'],
  [64, '198.18.1.1', '198.18.1.2'],
  [16384, '198.19.0.1', '198.19.0.2'],
  [32767, '198.19.255.253', '198.19.255.254'],
])('network %i is host %s, sandbox %s', (index, host, sandbox) => {
  expect(addressesOf(index)).toEqual({ host, sandbox });
});
