import type { IncomingMessage } from 'node:http';
import { HttpClient } from '@actions/http-client';
import { unlessAborted } from '../abort.ts';
import { errorMessage } from '../errors.ts';
import { retry } from '../retry.ts';

/** How long a server may keep silent, in milliseconds; a slow one that sends something is waited for. */
const STALL_MS = 30_000;
const ATTEMPTS = 5;
/** The longest wait a server's Retry-After is obeyed for. */
const LONGEST_WAIT_MS = 60_000;

export interface HttpOptions {
  /** Told of each failure that is tried again. */
  readonly onRetry?: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
  readonly stallMs?: number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** An answer that is not what was asked for. */
export class HttpError extends Error {
  readonly isTransient: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, isTransient: boolean, retryAfterMs?: number) {
    super(message);
    this.isTransient = isTransient;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The disk, not the network: trying again cannot help. */
const LOCAL_ERRORS = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EFBIG', 'EIO']);
/** Certificates do not become valid by asking again (OpenSSL's names, as Node gives them). */
const CERTIFICATE_ERROR = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/;

/**
 * GETs `url` and gives the answer's body to `consume`; both are tried again on failures that may
 * pass: broken connections, silence, truncation, status 408, 425, 429 and 5xx.
 * HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured. No token is sent, on GHES neither.
 */
export async function httpGet<T>(
  url: string,
  headers: () => Readonly<Record<string, string>>,
  consume: (answer: IncomingMessage, body: AsyncIterable<Buffer>) => Promise<T>,
  options: HttpOptions = {},
): Promise<T> {
  const { signal, stallMs = STALL_MS } = options;
  const client = new HttpClient('k3s-in-gvisor', [], { socketTimeout: stallMs });
  return retry(
    async () => {
      const asked = client.get(url, { ...headers() });
      // An answer that comes when nobody waits for it any more must not keep the process.
      asked.then(
        ({ message }) => {
          if (signal?.aborted === true) message.destroy();
        },
        () => undefined,
      );
      const { message } = await (signal === undefined ? asked : unlessAborted(asked, signal));
      try {
        check(message);
        return await consume(message, bodyOf(message, stallMs, signal));
      } finally {
        message.destroy();
      }
    },
    {
      attempts: ATTEMPTS,
      isTransient,
      askedToWait: (error) => (error instanceof HttpError ? error.retryAfterMs : undefined),
      onRetry: (error, delayMs) => {
        options.onRetry?.(
          `${url}: ${causeOf(error)}; trying again in ${(delayMs / 1_000).toFixed(1)} s`,
        );
      },
      signal,
      ...(options.sleep === undefined ? {} : { sleep: options.sleep }),
    },
  ).catch((error: unknown) => {
    throw new Error(`Failed to download ${url}: ${causeOf(error)}`, { cause: error });
  });
}

/** A small answer as text. */
export async function httpGetText(url: string, options: HttpOptions = {}): Promise<string> {
  return httpGet(
    url,
    () => ({}),
    async (answer, body) => {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of body) {
        length += chunk.length;
        if (length > 1 << 20) {
          throw new HttpError('the answer is longer than 1 MiB, no such file is', false);
        }
        chunks.push(chunk);
      }
      assertComplete(length, Number(answer.headers['content-length'] ?? length));
      return Buffer.concat(chunks).toString('utf8');
    },
    options,
  );
}

/** @throws a transient error if fewer bytes came than were announced */
export function assertComplete(received: number, announced: number): void {
  if (received !== announced) {
    throw new HttpError(`truncated: ${received} of ${announced} bytes came`, true);
  }
}

function check(message: IncomingMessage): void {
  const { statusCode = 0, statusMessage = '', headers } = message;
  if (statusCode !== 200 && statusCode !== 206) {
    const isTransient = statusCode >= 500 || [408, 425, 429].includes(statusCode);
    const seconds = Number(headers['retry-after']);
    throw new HttpError(
      `HTTP ${statusCode} ${statusMessage}`.trim(),
      isTransient,
      seconds > 0 ? Math.min(seconds * 1_000, LONGEST_WAIT_MS) : undefined,
    );
  }
  // A login page, a proxy's block page: k3s publishes none of its files as HTML.
  if (headers['content-type']?.startsWith('text/html') === true) {
    throw new HttpError(
      'the answer is an HTML page, not a file; a proxy or a login may stand in between',
      false,
    );
  }
}

/** The body, as long as something comes every `stallMs` milliseconds. */
async function* bodyOf(
  message: IncomingMessage,
  stallMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const abort = (): void => {
    message.destroy(signal?.reason as Error);
  };
  const stall = setTimeout(() => {
    message.destroy(new Error(`nothing came for ${stallMs / 1_000} s`));
  }, stallMs);
  signal?.addEventListener('abort', abort);
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      stall.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(stall);
    signal?.removeEventListener('abort', abort);
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof HttpError) {
    return error.isTransient;
  }
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return !LOCAL_ERRORS.has(code) && !CERTIFICATE_ERROR.test(code);
}

/** Node says "aborted" when the other side ends an answer before its end. */
function causeOf(error: unknown): string {
  const message = errorMessage(error);
  return message === 'aborted' ? 'the connection broke' : message;
}
