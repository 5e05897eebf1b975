import { setTimeout } from 'node:timers/promises';

/** 100 ms finds an API server or gateway soon after it starts; one attempt a second costs nothing. */
const SHORTEST_MS = 100;
const LONGEST_MS = 1000;

/** Waits longer after each failure in a row. */
export class Backoff {
  #next = SHORTEST_MS;

  /** Rejects with an AbortError when the signal says so. */
  async wait(signal: AbortSignal): Promise<void> {
    const delay = this.#next;
    this.#next = Math.min(delay * 2, LONGEST_MS);
    await setTimeout(delay, undefined, { signal });
  }

  reset(): void {
    this.#next = SHORTEST_MS;
  }
}
