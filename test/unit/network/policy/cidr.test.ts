import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { blockWithout } from '../../../../src/network/policy/cidr.ts';

describe('blockWithout', () => {
  test.each<[string, string[], string[]]>([
    ['10.0.0.0/8', [], ['10.0.0.0/8']],
    ['10.1.2.3/8', [], ['10.0.0.0/8']],
    ['0.0.0.0/0', [], ['0.0.0.0/0']],
    ['10.0.0.0/30', ['10.0.0.1/32'], ['10.0.0.0/32', '10.0.0.2/31']],
    ['10.0.0.0/24', ['10.0.0.128/25', '10.0.0.0/26'], ['10.0.0.64/26']],
    ['10.0.0.0/24', ['10.0.0.0/24'], []],
    ['10.0.0.0/24', ['10.1.0.0/24'], ['10.0.0.0/24']],
    ['255.255.255.254/31', ['255.255.255.254/32'], ['255.255.255.255/32']],
    ['fd00::/8', [], []],
    ['10.0.0.0/24', ['fd00::/8'], ['10.0.0.0/24']],
  ])('%s without %j is %j', (block, exceptions, networks) => {
    expect(blockWithout(block, exceptions)).toEqual(networks);
  });

  test('has every address of the block that no exception has, once', () => {
    const prefix = fc.integer({ min: 24, max: 32 });
    const network = fc
      .tuple(fc.integer({ min: 0, max: 255 }), prefix)
      .map(([byte, length]) => `10.0.0.${byte}/${length}`);
    fc.assert(
      fc.property(network, fc.array(network, { maxLength: 4 }), (block, exceptions) => {
        const addresses = (networks: readonly string[]) =>
          networks.flatMap((each) => {
            const [address = '', length] = each.split('/');
            const size = 2 ** (32 - Number(length));
            const byte = Number(address.split('.')[3]);
            return Array.from({ length: size }, (_, i) => byte - (byte % size) + i);
          });
        const holes = new Set(addresses(exceptions));
        expect(addresses(blockWithout(block, exceptions))).toEqual(
          addresses([block]).filter((address) => !holes.has(address)),
        );
      }),
    );
  });
});
