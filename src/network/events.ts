import { createHash } from 'node:crypto';

import { ApiError, type ApiClient } from '../kubernetes/client.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Notice } from './notice.ts';

/** A notice that comes and goes is said again at most this often. */
const QUIET_MS = 60_000;
const COMPONENT = 'k3s-in-gvisor';

/**
 * Turns notices into Events. A notice that stays is one Event; one that comes back, also after a
 * restart of the controller, raises that Event's count, because its name is made from what it says.
 */
export class EventRecorder {
  readonly #client: ApiClient;
  readonly #host: string;
  readonly #say: Log;
  #standing = new Set<string>();
  readonly #lastSaid = new Map<string, number>();
  #queue: Promise<void> = Promise.resolve();
  #recorded = 0;

  constructor(client: ApiClient, host: string, say: Log) {
    this.#client = client;
    this.#host = host;
    this.#say = say;
  }

  /** Events written since the start. */
  get recorded(): number {
    return this.#recorded;
  }

  /** Takes all notices that hold now; `now` in milliseconds of any steady clock. */
  report(notices: readonly Notice[], now = performance.now()): void {
    const standing = new Set<string>();
    for (const notice of notices) {
      const key = identity(notice);
      if (standing.has(key)) continue;
      standing.add(key);
      if (this.#standing.has(key) || this.#saidSince(key, now - QUIET_MS)) continue;
      this.#lastSaid.set(key, now);
      this.#queue = this.#queue.then(() => this.#record(notice, key));
    }
    this.#standing = standing;
    for (const [key, said] of this.#lastSaid) {
      if (!standing.has(key) && said <= now - QUIET_MS) this.#lastSaid.delete(key);
    }
  }

  #saidSince(key: string, time: number): boolean {
    const said = this.#lastSaid.get(key);
    return said !== undefined && said > time;
  }

  async #record(notice: Notice, key: string): Promise<void> {
    const { kind, namespace, name } = notice.about;
    this.#say(`${notice.reason} on ${kind} ${namespace}/${name}: ${notice.message}`);
    const event = eventFor(notice, this.#host, new Date());
    try {
      await this.#create(event);
      this.#recorded += 1;
    } catch (error) {
      this.#say(
        `Failed to record an event on ${kind} ${namespace}/${name}: ${errorMessage(error)}`,
      );
      // In a namespace that is going nobody will read it; otherwise the next report tries again.
      if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return;
      this.#standing.delete(key);
      this.#lastSaid.delete(key);
    }
  }

  async #create(event: ReturnType<typeof eventFor>): Promise<void> {
    const path = `/api/v1/namespaces/${event.metadata.namespace}/events`;
    try {
      await this.#client.request('POST', path, { body: event });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      const own = `${path}/${event.metadata.name}`;
      const before = (await this.#client.request('GET', own)) as { count?: number };
      await this.#client.request('PATCH', own, {
        contentType: 'application/merge-patch+json',
        body: { count: (before.count ?? 1) + 1, lastTimestamp: event.lastTimestamp },
      });
    }
  }
}

function identity({ about, reason, message }: Notice): string {
  return `${about.uid} ${reason} ${message}`;
}

/** The core/v1 Event: what `kubectl describe` shows. */
export function eventFor(notice: Notice, host: string, time: Date) {
  const { about, reason, message } = notice;
  const hash = createHash('sha256').update(identity(notice)).digest('hex').slice(0, 16);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // Names end at 253 characters; the hash alone tells them apart.
    metadata: { name: `${about.name.slice(0, 200)}.${hash}`, namespace: about.namespace },
    involvedObject: {
      apiVersion: about.kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'v1',
      kind: about.kind,
      namespace: about.namespace,
      name: about.name,
      uid: about.uid,
    },
    type: 'Warning',
    reason,
    message,
    count: 1,
    firstTimestamp: time.toISOString(),
    lastTimestamp: time.toISOString(),
    source: { component: COMPONENT, host },
    reportingComponent: COMPONENT,
    reportingInstance: host,
  };
}
