import { expect, it } from 'vitest';
import { isTag } from '../../../src/k3s/version.ts';
import { CHECKSUMS } from '../../../src/k3s/checksums.ts';
import { asSha256, describeMismatch, parseSums } from '../../../src/supply/verify.ts';

const A = 'a'.repeat(64);
const B = 'B'.repeat(64);

it('reads what sha256sum prints', () => {
  expect(
    parseSums(
      `${A}  k3s-airgap-images-amd64.tar\n${B} *k3s\n\n${'c'.repeat(63)}  short\nhello k3s\n`,
    ),
  ).toEqual({ 'k3s-airgap-images-amd64.tar': A, k3s: B.toLowerCase() });
});

it('takes one file name for one file, not for the end of another', () => {
  expect(parseSums(`${A}  k3s-arm64\n`)['k3s']).toBeUndefined();
});

it.each(['', 'abc', 'g'.repeat(64), `${A}0`])('refuses the hash %j', (text) => {
  expect(asSha256(text)).toBeUndefined();
});

it('shows what came in place of a program, if that can be read', () => {
  const message = describeMismatch('http://m/k3s', A, 'e', Buffer.from('<?xml version="1.0"?>\n'));
  expect(message).toBe(
    `Failed to verify http://m/k3s: its SHA-256 is ${A}, expected e; it begins with "<?xml version=\\"1.0\\"?>\\n"`,
  );
  expect(describeMismatch('u', A, 'e', Buffer.from('\x7fELF\x02'))).toMatch(/expected e$/);
});

it('has pinned hashes of releases only, each a SHA-256', () => {
  for (const [tag, files] of Object.entries(CHECKSUMS)) {
    expect(tag).toSatisfy(isTag);
    for (const sha256 of Object.values(files)) {
      expect(asSha256(sha256)).toBe(sha256);
    }
  }
});
