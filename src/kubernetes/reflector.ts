import { isDeepStrictEqual } from 'node:util';

import { ApiError, type ApiClient } from './client.ts';
import { Backoff } from '../retry.ts';
import { errorMessage } from '../errors.ts';
import { onChange, type Log } from '../log.ts';
import type { MetadataJson } from './wire.ts';

/** How long the API server lets a watch live; its regular end is the moment to list anew. */
const WATCH_SECONDS = 600;
/** A watch that outlives its time by this much has a dead peer. */
const GRACE_MS = 30_000;

export interface ObjectJson {
  metadata: MetadataJson;
}

export interface Resource<Json extends ObjectJson, T> {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** The part to keep of an object; undefined to keep nothing of it. */
  readonly keep: (json: Json) => T | undefined;
}

/**
 * Keeps a copy of one kind of object: list, then watch from there. A broken watch goes on where it
 * stopped; 410 Gone, any other refusal and the watch's regular end (ten minutes: the resync) lead to
 * a new list.
 */
export class Reflector<Json extends ObjectJson, T> {
  readonly objects = new Map<string, T>();
  readonly #client: ApiClient;
  readonly #resource: Resource<Json, T>;
  readonly #changed: () => void;
  readonly #say: Log;
  /** Where to watch from; undefined when only a new list will do. */
  #version: string | undefined;
  #synced = false;
  #failures = 0;

  constructor(client: ApiClient, resource: Resource<Json, T>, changed: () => void, say: Log) {
    this.#client = client;
    this.#resource = resource;
    this.#changed = changed;
    this.#say = onChange(say);
  }

  /** Whether `objects` has ever been complete. */
  get synced(): boolean {
    return this.#synced;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Goes on until the signal is aborted, with whose reason it rejects. */
  async run(signal: AbortSignal): Promise<never> {
    const backoff = new Backoff();
    for (;;) {
      try {
        this.#version ??= await this.#list(signal);
        await this.#watch(this.#version, backoff, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ApiError) this.#version = undefined;
        this.#failures += 1;
        this.#say(`Failed to watch ${this.#resource.path}: ${errorMessage(error)}`);
        await backoff.wait(signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { path, query, keep } = this.#resource;
    const list = (await this.#client.request('GET', path, { query, signal })) as {
      metadata: { resourceVersion: string };
      items: Json[];
    };
    const gone = new Set(this.objects.keys());
    for (const item of list.items) {
      const kept = keep(item);
      if (kept === undefined) continue;
      gone.delete(keyOf(item));
      this.objects.set(keyOf(item), kept);
    }
    for (const key of gone) this.objects.delete(key);
    this.#synced = true;
    this.#changed();
    return list.metadata.resourceVersion;
  }

  /** Returns at the watch's regular end; throws when it ended for any other reason. */
  async #watch(version: string, backoff: Backoff, signal: AbortSignal): Promise<void> {
    const { path, query } = this.#resource;
    const lifetime = AbortSignal.timeout(WATCH_SECONDS * 1000 + GRACE_MS);
    const started = performance.now();
    const lines = await this.#client.watch(path, {
      query: {
        ...query,
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: version,
        timeoutSeconds: String(WATCH_SECONDS),
      },
      signal: AbortSignal.any([signal, lifetime]),
      idleMs: WATCH_SECONDS * 1000 + GRACE_MS,
    });
    this.#say(`Watching ${path}`);
    for await (const line of lines) {
      backoff.reset();
      this.#take(JSON.parse(line) as WatchEvent<Json>);
    }
    if (performance.now() - started < WATCH_SECONDS * 1000) {
      throw new Error('the API server ended the watch');
    }
    this.#version = undefined;
  }

  #take(event: WatchEvent<Json>): void {
    if (event.type === 'ERROR') {
      const { code = 0, message = 'no reason given' } = event.object;
      throw new ApiError(code, message);
    }
    const { type, object } = event;
    this.#version = object.metadata.resourceVersion ?? this.#version;
    if (type === 'BOOKMARK') return;

    const key = keyOf(object);
    const kept = type === 'DELETED' ? undefined : this.#resource.keep(object);
    // Most changes are of what nobody keeps: pods' statuses, heartbeats, managed fields.
    if (kept !== undefined && isDeepStrictEqual(kept, this.objects.get(key))) return;
    if (kept !== undefined) this.objects.set(key, kept);
    else if (!this.objects.delete(key)) return;
    this.#changed();
  }
}

type WatchEvent<Json> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: Json }
  | { type: 'ERROR'; object: { code?: number; message?: string } };

function keyOf({ metadata }: ObjectJson): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}
