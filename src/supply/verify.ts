import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const SHA256 = /^[0-9a-f]{64}$/i;
const READ_BYTES = 4 << 20;

/** @returns the lower-case form, undefined if `text` is not a SHA-256 in hex */
export function asSha256(text: string): string | undefined {
  return SHA256.test(text) ? text.toLowerCase() : undefined;
}

/** The hashes that sha256sum printed, by file name; lines of any other form are left out. */
export function parseSums(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      // "<hex>  <name>", or "<hex> *<name>" of a file read as binary.
      const [sum = '', name] = line.trim().split(/\s+\*?/);
      const sha256 = asSha256(sum);
      return sha256 === undefined || name === undefined ? [] : [[name, sha256]];
    }),
  );
}

/** In lower-case hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES);
      if (bytesRead === 0) {
        return hash.digest('hex');
      }
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/**
 * What to say of a download that is not what it should be.
 * @param head its first bytes: text where a program should be is most often a page of a proxy or a login
 */
export function describeMismatch(
  url: string,
  found: string,
  expected: string,
  head: Buffer,
): string {
  const isText =
    head.length > 0 && head.every((byte) => byte >= 0x20 || [9, 10, 13].includes(byte));
  const begins = isText ? `; it begins with ${JSON.stringify(head.toString('latin1'))}` : '';
  return `Failed to verify ${url}: its SHA-256 is ${found}, expected ${expected}${begins}`;
}
