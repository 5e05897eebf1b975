import { describe, expect, it } from 'vitest';
import { embeddedFile } from '../../../src/k3s/embedded.ts';

const BASE = 0x40_0000n;
const HEADER = 64 + 56;

/** A 64-bit ELF file of one loaded segment with a table of embedded files, as Go lays it out. */
function programWith(files: Readonly<Record<string, string>>, padding = ''): Buffer {
  const strings = Object.entries(files).map(([name, content]) => [
    Buffer.from(name),
    Buffer.from(content),
  ]);
  const text = Buffer.from(padding);
  let at = HEADER + text.length;
  const references = strings.map((pair) =>
    pair.map((part) => {
      const reference = { address: BASE + BigInt(at), length: BigInt(part.length) };
      at += part.length;
      return reference;
    }),
  );
  const table = Buffer.concat(
    references.map((pair) => {
      const entry = Buffer.alloc(48, 0xaa);
      pair.forEach(({ address, length }, index) => {
        entry.writeBigUInt64LE(address, index * 16);
        entry.writeBigUInt64LE(length, index * 16 + 8);
      });
      return entry;
    }),
  );
  const header = Buffer.alloc(HEADER);
  header.write('\x7fELF\x02\x01', 'latin1');
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64);
  header.writeBigUInt64LE(0n, 64 + 8);
  header.writeBigUInt64LE(BASE, 64 + 16);
  header.writeBigUInt64LE(BigInt(at + table.length), 64 + 32);
  return Buffer.concat([header, text, ...strings.flat(), table]);
}

describe('embeddedFile', () => {
  it.each(['coredns.yaml', 'embed/coredns.yaml', 'a-b/c.d/coredns.yaml'])('reads %s', (path) => {
    const program = programWith({ [path]: 'kind: A\n', 'other.yaml': 'kind: B\n' });
    expect(embeddedFile(program, 'coredns.yaml', 'kind: ')).toBe('kind: A\n');
  });

  it('passes over the name where it is only mentioned', () => {
    const padding = 'Writing manifest: server/manifests/coredns.yaml';
    const program = programWith({ 'embed/coredns.yaml': 'kind: A\n' }, padding);
    expect(embeddedFile(program, 'coredns.yaml', 'kind: ')).toBe('kind: A\n');
  });

  it('passes over the name where another string follows it', () => {
    const other = programWith({
      'manifests/coredns.yaml': 'server',
      'embed/coredns.yaml': 'kind: A',
    });
    expect(embeddedFile(other, 'coredns.yaml', 'kind: ')).toBe('kind: A');
  });

  it.each([
    ['another name', programWith({ 'embed/traefik.yaml': 'kind: A\n' })],
    ['a name without an entry', programWith({}, 'coredns.yaml')],
    ['other content', programWith({ 'coredns.yaml': 'server' })],
    ['content that is no text', programWith({ 'coredns.yaml': 'kind: \0' })],
    ['nothing in it', programWith({ 'coredns.yaml': '' })],
    ['no ELF', Buffer.from('#!/bin/sh\n# coredns.yaml\n')],
    ['no bytes', Buffer.alloc(0)],
    ['headers beyond its end', programWith({ 'coredns.yaml': 'x' }).subarray(0, 80)],
  ])('finds nothing in a file with %s', (_, program) => {
    expect(embeddedFile(program, 'coredns.yaml', 'kind: ')).toBeUndefined();
  });
});
