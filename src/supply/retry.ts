import { setTimeout as delay } from 'node:timers/promises';

const BASE_MS = 500;
const CAP_MS = 10_000;

export interface RetryOptions {
  readonly attempts: number;
  isTransient(error: unknown): boolean;
  /** How long the server asked to wait, in milliseconds. */
  askedToWait?(error: unknown): number | undefined;
  onRetry?(error: unknown, delayMs: number): void;
  readonly signal?: AbortSignal | undefined;
  /** For tests. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly random?: () => number;
}

/**
 * Tries again what may succeed later, after a random part of a growing delay, so that jobs which
 * failed together do not come back together.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, signal, sleep = wait, random = Math.random } = options;
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (made === attempts || !options.isTransient(error)) {
        throw error;
      }
      const backoff = random() * Math.min(CAP_MS, BASE_MS * 2 ** (made - 1));
      const delayMs = Math.round(Math.max(backoff, options.askedToWait?.(error) ?? 0));
      options.onRetry?.(error, delayMs);
      await sleep(delayMs, signal);
    }
  }
}

async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}
