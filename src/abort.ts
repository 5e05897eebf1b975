/** Aborts with `reason` after `ms`, unless it is cleared before. */
export function abortAfter(ms: number, reason: string): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error(reason));
  }, ms);
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
    },
  };
}

/**
 * What `work` comes to, or the signal's reason as soon as it is aborted, if it was before as well. For
 * what cannot be told to stop: it may go on, and nobody waits for it.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    reject(signal.reason as Error);
  };
  // Who loses the race must not be unhandled.
  work.catch(() => undefined);
  aborted.catch(() => undefined);
  if (signal.aborted) {
    abort();
  }
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
