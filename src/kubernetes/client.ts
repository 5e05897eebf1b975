import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

import type { Access } from './kubeconfig.ts';
import { linesOf } from './lines.ts';

/** The API server answered, and not with success. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the body; JSON unless said otherwise. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Ends the request when nothing has arrived for so long. */
  readonly idleMs?: number;
}

/** An answer that takes longer than this is not coming. */
const IDLE_MS = 30_000;

/**
 * The few requests that are made here, over kept-alive connections. @kubernetes/client-node would
 * do them as well, but its bundle is 19 MB and doubles the controller's memory (121 against 60 MiB
 * resident), every request of it opens a connection, and its informers know no bookmarks.
 */
export class ApiClient {
  #access: Access;
  #agent: http.Agent;

  constructor(access: Access) {
    this.#access = access;
    this.#agent = agentFor(access);
  }

  /** Requests under way fail: whoever made them makes them again, with the new credentials. */
  use(access: Access): void {
    this.#agent.destroy();
    this.#access = access;
    this.#agent = agentFor(access);
  }

  /** Ends its connections; requests under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  /** The answer as it is, for what is no JSON: /readyz. @throws as `request` */
  async text(path: string, options: RequestOptions = {}): Promise<string> {
    return text(await this.#send('GET', path, options));
  }

  /** @throws ApiError for an answer other than 2xx, whatever node:http throws for none at all. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    const response = await this.#send(method, path, options);
    return JSON.parse(await text(response));
  }

  /** Opens a watch; what it returns are the lines of the answer as they come. */
  async watch(path: string, options: RequestOptions): Promise<AsyncIterable<string>> {
    return linesOf(await this.#send('GET', path, options));
  }

  async #send(
    method: string,
    path: string,
    { query, body, contentType = 'application/json', signal, idleMs = IDLE_MS }: RequestOptions,
  ): Promise<http.IncomingMessage> {
    const url = new URL(path, this.#access.server);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const { request } = url.protocol === 'https:' ? https : http;
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const outgoing = request(url, {
      method,
      agent: this.#agent,
      ...(signal && { signal }),
      headers: {
        accept: 'application/json',
        'user-agent': 'k3s-in-gvisor',
        ...(this.#access.token && { authorization: `Bearer ${this.#access.token}` }),
        ...(body !== undefined && { 'content-type': contentType }),
      },
    });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.setTimeout(idleMs, () => {
      outgoing.destroy(new Error(`no answer from ${url.host} for ${idleMs / 1000} s`));
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));

    const response = await promise;
    const { statusCode = 0 } = response;
    if (statusCode < 200 || statusCode > 299) {
      const answer = await text(response);
      throw new ApiError(statusCode, `${method} ${path}: ${statusCode} ${reasonIn(answer)}`);
    }
    return response;
  }
}

function agentFor({ server, ca, cert, key }: Access): http.Agent {
  if (server.protocol !== 'https:') return new http.Agent({ keepAlive: true });
  return new https.Agent({
    keepAlive: true,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  });
}

/** The message of the API's Status object, the checks that failed, or what came instead; in one line. */
function reasonIn(answer: string): string {
  try {
    const { message } = JSON.parse(answer) as { message?: string };
    if (message) return message;
  } catch {
    // Not JSON: a proxy's page, or a server that is just starting.
  }
  const failed = answer.match(/^\[-\].*$/gm)?.join(', ');
  return (failed ?? answer).replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
