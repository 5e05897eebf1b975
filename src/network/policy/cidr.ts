import { isIPv4 } from 'node:net';

/** First and last address of a range, both included. */
type Range = readonly [number, number];

/**
 * The networks that together are the block without the exceptions, in ascending order. Of IPv6, which
 * the cluster does not have, nothing remains; the API server lets no malformed block pass.
 */
export function blockWithout(block: string, exceptions: readonly string[]): string[] {
  const ranges = exceptions
    .flatMap(rangeOf)
    .reduce((rest, hole) => rest.flatMap((range) => without(range, hole)), rangeOf(block));
  return ranges.flatMap(networksOf);
}

/** None for what is not IPv4. */
function rangeOf(network: string): Range[] {
  const [address = '', prefix] = network.split('/');
  if (!isIPv4(address)) return [];
  const size = 2 ** (32 - Number(prefix));
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const first = number - (number % size);
  return [[first, first + size - 1]];
}

function without([first, last]: Range, [from, to]: Range): Range[] {
  const below: Range = [first, Math.min(last, from - 1)];
  const above: Range = [Math.max(first, to + 1), last];
  return [below, above].filter(([start, end]) => start <= end);
}

/** The fewest networks: each the largest that begins at an address and does not end too late. */
function networksOf([first, last]: Range): string[] {
  const networks: string[] = [];
  for (let next = first; next <= last;) {
    let prefix = 0;
    while (next % 2 ** (32 - prefix) !== 0 || next + 2 ** (32 - prefix) - 1 > last) prefix += 1;
    networks.push(`${addressOf(next)}/${prefix}`);
    next += 2 ** (32 - prefix);
  }
  return networks;
}

function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
