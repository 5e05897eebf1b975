import { errorMessage } from '../errors.ts';
import { onChange, type Log } from '../log.ts';
import { Backoff } from '../retry.ts';
import type { ApiClient } from './client.ts';

/** An object and where it is in the API. */
export interface Applied {
  readonly path: string;
  readonly object: object;
}

/** Server-side apply: made where it is not, and as it was made before after a restart. */
export async function apply(
  client: ApiClient,
  objects: readonly Applied[],
  signal: AbortSignal,
): Promise<void> {
  for (const each of objects) {
    await applyOne(client, each, signal);
  }
}

/** The same for one object, where the order of several does not matter. */
export async function applyOne(
  client: ApiClient,
  { path, object }: Applied,
  signal: AbortSignal,
): Promise<void> {
  await client.request('PATCH', path, {
    query: { fieldManager: 'k3s-in-gvisor', force: 'true' },
    // JSON is YAML, and every supported API server takes this type.
    contentType: 'application/apply-patch+yaml',
    body: object,
    signal,
  });
}

/** Tries until it succeeds: the API server answers before all it needs is there. */
export async function untilDone<T>(
  what: string,
  work: () => Promise<T>,
  say: Log,
  signal: AbortSignal,
): Promise<T> {
  const backoff = new Backoff();
  const complain = onChange(say);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      complain(`Failed to ${what}: ${errorMessage(error)}`);
      await backoff.wait(signal);
    }
  }
}
