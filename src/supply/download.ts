import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { assertComplete, httpGet, HttpError, type HttpOptions } from './http.ts';

export interface Downloaded {
  readonly sha256: string;
  /** The first bytes, to say what came where it is not what was expected. */
  readonly head: Buffer;
}

const HEAD_BYTES = 64;
/** How often it is told how far a download is. */
const PROGRESS_MS = 5_000;

export interface DownloadOptions extends HttpOptions {
  /** Told every few seconds how many bytes came, and of how many if the server says so. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  readonly progressMs?: number;
}

/**
 * Downloads `url` to `path`, hashing as it comes. A transfer that breaks goes on where it stopped
 * if the server can, and the file is still the same there; else it begins anew.
 */
export async function download(
  url: string,
  path: string,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  // A binary, more often than not; tar keeps the mode for the cache service.
  const file = await open(path, 'w', 0o755);
  let hash: Hash = createHash('sha256');
  let received = 0;
  let head = Buffer.alloc(0);
  let validator: string | undefined;
  const { onProgress, progressMs = PROGRESS_MS } = options;
  let told = performance.now();
  try {
    await httpGet(
      url,
      () =>
        received > 0 && validator !== undefined
          ? { range: `bytes=${received}-`, 'if-range': validator }
          : {},
      async (answer, body) => {
        const total = announced(answer, received);
        if (answer.statusCode === 200 && received > 0) {
          hash = createHash('sha256');
          received = 0;
          head = Buffer.alloc(0);
          await file.truncate(0);
        }
        validator = validatorOf(answer);
        for await (const chunk of body) {
          await writeAll(file, chunk, received);
          hash.update(chunk);
          received += chunk.length;
          head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
          if (performance.now() - told >= progressMs) {
            told = performance.now();
            onProgress?.(received, total);
          }
        }
        assertComplete(received, total ?? received);
      },
      options,
    );
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), head };
}

/** One write may take less than it was given, as on a disk with little room left. */
async function writeAll(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}

/** The length of the whole file, as far as the server tells. */
function announced(answer: IncomingMessage, received: number): number | undefined {
  if (answer.statusCode === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '');
    if (Number(range?.[1]) !== received) {
      throw new HttpError('the server went on at another place than it was asked to', true);
    }
    return Number(range?.[2]);
  }
  const length = answer.headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

/** What tells one content of an address from another; a weak ETag does not (RFC 9110, 13.1.5). */
function validatorOf({ headers }: IncomingMessage): string | undefined {
  const { etag } = headers;
  return etag === undefined || etag.startsWith('W/') ? headers['last-modified'] : etag;
}
