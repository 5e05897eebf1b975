import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';

import { Backoff } from '../../retry.ts';
import { linesOf } from '../../kubernetes/lines.ts';
import { errorMessage } from '../../errors.ts';
import { onChange, type Log } from '../../log.ts';
import { diff, line, type Change, type Table } from './table.ts';

/** A gateway that has not answered a line for so long never will. */
const ANSWER_MS = 10_000;
/** A port somebody else has may become free; nothing tells when, so it is tried again. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;

/** In place of a value: what the gateway has for this frontend is not known. */
const UNKNOWN = '?';

/** Why a pod's policies are not in force in its own network namespace, in the gateway's words. */
const TROUBLES = ['foreign', 'isolated', 'failed'] as const;
export type Trouble = (typeof TROUBLES)[number];

/** A frontend the gateway does not serve, in its own words. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/**
 * Keeps the gateway's table equal to the desired one, over its control socket: everything between
 * `begin` and `end` on each connection (the gateway keeps the connections of what did not change),
 * differences after that. Lines are pipelined; answers come in the same order.
 */
export class Gateway {
  readonly #path: string;
  readonly #settled: () => void;
  readonly #say: Log;
  #desired: Table | undefined;
  #socket: Socket | undefined;
  /** What the gateway has once everything written is answered. */
  readonly #sent = new Map<string, string>();
  /** Lines without an answer; undefined for those that are about no entry of the table. */
  #unanswered: (Change | undefined)[] = [];
  readonly #listening = new Set<string>();
  readonly #refusals = new Map<string, Refusal & { value: string }>();
  /** By the pod's namespace/name. */
  readonly #troubles = new Map<string, Trouble>();
  #synced = false;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #sessions = 0;

  /** `settled` is called whenever every line written has been answered, or a trouble came or went. */
  constructor(path: string, settled: () => void, say: Log) {
    this.#path = path;
    this.#settled = settled;
    this.#say = onChange(say);
  }

  /** Whether the gateway is connected and has answered all of the desired table. */
  get synced(): boolean {
    return this.#synced && this.#unanswered.length === 0;
  }

  get refusals(): ReadonlyMap<string, Refusal> {
    return this.#refusals;
  }

  /** The pods whose policies are not in force in their own namespaces; known once synced. */
  get troubles(): ReadonlyMap<string, Trouble> {
    return this.#troubles;
  }

  /** Connections made since the start. */
  get sessions(): number {
    return this.#sessions;
  }

  isListening(key: string): boolean {
    return this.#listening.has(key);
  }

  apply(table: Table): void {
    this.#desired = table;
    if (this.#socket) this.#push();
  }

  /** Goes on until the signal is aborted, with whose reason it rejects. */
  async run(signal: AbortSignal): Promise<never> {
    const backoff = new Backoff();
    for (;;) {
      try {
        await this.#session(backoff, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#say(`Failed to program the gateway at ${this.#path}: ${errorMessage(error)}`);
      }
      await backoff.wait(signal);
    }
  }

  /** From connecting to the end of the connection, which is always an error. */
  async #session(backoff: Backoff, signal: AbortSignal): Promise<never> {
    const socket = addAbortSignal(signal, createConnection({ path: this.#path }));
    try {
      await once(socket, 'connect');
      this.#say(`Connected to the gateway at ${this.#path}`);
      this.#sessions += 1;
      this.#socket = socket;
      socket.setTimeout(ANSWER_MS, () => {
        if (this.#unanswered.length > 0) socket.destroy(new Error('no answer'));
      });
      if (this.#desired) this.#push();

      for await (const answer of linesOf(socket)) {
        this.#answered(answer);
        backoff.reset();
      }
      throw new Error('the gateway closed the connection');
    } finally {
      socket.destroy();
      clearTimeout(this.#retry);
      this.#retry = undefined;
      this.#socket = undefined;
      this.#synced = false;
      this.#unanswered = [];
      this.#sent.clear();
      this.#listening.clear();
      this.#refusals.clear();
      this.#troubles.clear();
    }
  }

  #push(): void {
    if (!this.#desired) return;
    const changes = diff(this.#sent, this.#desired).filter(
      // Refused already and unchanged: its turn comes with the retry.
      ({ key, value }) => value === undefined || this.#refusals.get(key)?.value !== value,
    );
    if (!this.#synced) {
      this.#write(
        ['begin', ...changes.map(line), 'end', 'watch'],
        [undefined, ...changes, undefined, undefined],
      );
      this.#synced = true;
    } else {
      this.#write(changes.map(line), changes);
    }
    for (const { key, value } of changes) {
      if (value === undefined) this.#sent.delete(key);
      else this.#sent.set(key, value);
    }
    if (this.#unanswered.length === 0) this.#settled();
  }

  #write(lines: readonly string[], expect: readonly (Change | undefined)[]): void {
    if (lines.length === 0) return;
    for (const change of expect) this.#unanswered.push(change);
    this.#socket?.write(lines.join('\n') + '\n');
  }

  #answered(answer: string): void {
    const [, word = '', pod = ''] = /^trouble (\S+) (\S+)$/.exec(answer) ?? [];
    if (pod !== '') {
      this.#noted(pod, word);
      return;
    }
    if (this.#unanswered.length === 0) throw new Error(`unexpected answer: ${answer}`);
    const change = this.#unanswered.shift();
    const refusal = parseAnswer(answer);
    if (!change) {
      if (refusal) throw new Error(`${refusal.code}: ${refusal.message}`);
    } else if (!refusal) {
      this.#refusals.delete(change.key);
      if (change.value === undefined) this.#listening.delete(change.key);
      else this.#listening.add(change.key);
    } else {
      this.#refused(change, refusal);
    }
    if (this.#unanswered.length === 0) {
      this.#planRetry();
      this.#settled();
    }
  }

  #noted(pod: string, word: string): void {
    const trouble = TROUBLES.find((known) => known === word);
    if (trouble) this.#troubles.set(pod, trouble);
    else this.#troubles.delete(pod);
    if (this.#unanswered.length === 0) this.#settled();
  }

  #refused({ key, value }: Change, refusal: Refusal): void {
    this.#listening.delete(key);
    if (value === undefined) {
      // Nothing was there to delete after a `set` that was refused.
      this.#refusals.delete(key);
      return;
    }
    this.#refusals.set(key, { ...refusal, value });
    // A later line may already have replaced or deleted it.
    if (this.#sent.get(key) === value) this.#sent.set(key, UNKNOWN);
  }

  #planRetry(): void {
    if (this.#refusals.size === 0) {
      this.#retryMs = FIRST_RETRY_MS;
      return;
    }
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
      this.#refusals.clear();
      this.#push();
    }, this.#retryMs);
  }
}

/** Undefined for `ok`. */
function parseAnswer(answer: string): Refusal | undefined {
  if (answer === 'ok') return undefined;
  const [, code, message] = /^error (\S+) (.*)$/.exec(answer) ?? [];
  if (code === undefined || message === undefined) throw new Error(`unknown answer: ${answer}`);
  return { code, message };
}
