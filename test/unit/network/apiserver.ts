import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

import { ApiClient } from '../../../src/kubernetes/client.ts';
import { parseKubeconfig } from '../../../src/kubernetes/kubeconfig.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly response: ServerResponse;
}

/** A server that hands each request to the test, which is free to answer as no API server would. */
export class ApiServer {
  readonly received: Received[] = [];
  handle: (request: Received) => void = ({ response }) => response.writeHead(500).end();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request, response);
    });
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection, as a server that is killed does. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  kubeconfig(): string {
    return kubeconfig(`http://127.0.0.1:${this.port}`);
  }

  client(): ApiClient {
    return new ApiClient(parseKubeconfig(this.kubeconfig()));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const { pathname, searchParams } = new URL(url, 'http://server');
    const received = {
      method,
      path: pathname,
      query: Object.fromEntries(searchParams),
      body: headers['content-type'] ? await json(request) : undefined,
      response,
    };
    this.received.push(received);
    this.handle(received);
  }
}

export function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function kubeconfig(server: string, user = 'token: secret'): string {
  return `
apiVersion: v1
kind: Config
current-context: default
clusters: [{name: c, cluster: {server: '${server}'}}]
users: [{name: u, user: {${user}}}]
contexts: [{name: default, context: {cluster: c, user: u}}]
`;
}
