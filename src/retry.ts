import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait after each failure in a row: twice as long as after the one before. */
export class Backoff {
  readonly #shortestMs: number;
  readonly #longestMs: number;
  #nextMs: number;

  /** By default what finds an API server or gateway soon after it starts; one attempt a second costs nothing. */
  constructor(shortestMs = 100, longestMs = 1_000) {
    this.#shortestMs = shortestMs;
    this.#longestMs = longestMs;
    this.#nextMs = shortestMs;
  }

  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * 2, this.#longestMs);
    return ms;
  }

  /** Rejects with an AbortError when the signal says so. */
  async wait(signal: AbortSignal): Promise<void> {
    await delay(this.next(), undefined, { signal });
  }

  reset(): void {
    this.#nextMs = this.#shortestMs;
  }
}

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
  const backoff = new Backoff(500, 10_000);
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (made === attempts || !options.isTransient(error)) {
        throw error;
      }
      const delayMs = Math.round(
        Math.max(random() * backoff.next(), options.askedToWait?.(error) ?? 0),
      );
      options.onRetry?.(error, delayMs);
      await sleep(delayMs, signal);
    }
  }
}

async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}
