import { createServer, type Server } from 'node:http';

export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: number;
}

export interface Health {
  /** Undefined when everything is in place, else what is missing. */
  readonly notReady: () => string | undefined;
  readonly metrics: () => readonly Metric[];
}

/** `/healthz` (alive), `/readyz` (table complete and in force) and `/metrics`, on loopback only. */
export function serveHealth(port: number, health: Health, signal: AbortSignal): Promise<Server> {
  const server = createServer(({ url }, response) => {
    const { status, body } = answer(url ?? '/', health);
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(body);
  });
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  server.on('error', (error) => {
    reject(new Error(`Failed to listen on 127.0.0.1:${port}: ${error.message}`));
  });
  server.listen({ port, host: '127.0.0.1', signal }, () => {
    resolve(server);
  });
  return promise;
}

function answer(url: string, { notReady, metrics }: Health): { status: number; body: string } {
  const missing = notReady();
  switch (url) {
    case '/healthz':
      return { status: 200, body: 'ok\n' };
    case '/readyz':
      return missing === undefined
        ? { status: 200, body: 'ok\n' }
        : { status: 503, body: `${missing}\n` };
    case '/metrics':
      return { status: 200, body: exposition(metrics()) };
    default:
      return { status: 404, body: 'not found\n' };
  }
}

/** The Prometheus text format. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics
    .map(
      ({ name, type, help, value }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`,
    )
    .join('');
}
