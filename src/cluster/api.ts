import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Credentials } from './kubeconfig.ts';

/** An object as far as readiness looks into it. */
export interface KubernetesObject {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[];
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubernetesObject;
}

/** The few calls readiness makes. */
export class Api {
  readonly #credentials: Credentials;
  readonly #agent: Agent;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
    const { ca, cert, key } = credentials;
    this.#agent = new Agent({ ca, cert, key, keepAlive: true });
  }

  /** @throws if the answer is not 200, with the status and the beginning of the body. */
  async get(path: string, signal: AbortSignal): Promise<string> {
    const response = await this.#send(path, signal);
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) {
      body += String(chunk);
    }
    if (response.statusCode !== 200) {
      throw new Error(`GET ${path}: HTTP ${response.statusCode ?? 0}: ${body.slice(0, 300)}`);
    }
    return body;
  }

  /** Objects of the collection at `path`, those that exist first, then each one as it changes. Ends when the server ends it. */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<KubernetesObject> {
    const separator = path.includes('?') ? '&' : '?';
    const response = await this.#send(`${path}${separator}watch=1`, signal);
    if (response.statusCode !== 200) {
      response.resume();
      throw new Error(`GET ${path}: HTTP ${response.statusCode ?? 0}`);
    }
    for await (const line of lines(response)) {
      const event = JSON.parse(line) as WatchEvent;
      if (event.type === 'ADDED' || event.type === 'MODIFIED') {
        yield event.object;
      } else if (event.type === 'ERROR') {
        throw new Error(`GET ${path}: ${line.slice(0, 300)}`);
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, this.#credentials.server), { agent: this.#agent, signal });
      call.once('response', resolve);
      call.once('error', reject);
      call.end();
    });
  }
}

/** Node's readline emits what ends the stream as an error of its own that nobody can catch; this throws it. */
async function* lines(stream: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}
