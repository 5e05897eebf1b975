import { createHash } from 'node:crypto';
import {
  createServer,
  request as sendRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server for one test: what it was asked, in order, and an answer for each path. */
export interface WebServer extends AsyncDisposable {
  readonly url: string;
  /** "GET /path" of every request, with the range that was asked for. */
  readonly requests: readonly string[];
  /** One handler per request in the order they come, the last one for all that follow. */
  answer(path: string, ...handlers: Handler[]): void;
  /** For every other path. */
  fallback(handler: Handler): void;
}

export async function startServer(address = '127.0.0.1', port = 0): Promise<WebServer> {
  const requests: string[] = [];
  const answers = new Map<string, Handler[]>();
  let otherwise = status(404);
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    requests.push([method, url, headers.range].filter((part) => part !== undefined).join(' '));
    const handlers = answers.get(url);
    const handler =
      handlers !== undefined && handlers.length > 1 ? handlers.shift() : handlers?.[0];
    (handler ?? otherwise)(request, response);
  });
  await listen(server, address, port);
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    requests,
    answer: (path, ...handlers) => answers.set(path, handlers),
    fallback: (handler) => {
      otherwise = handler;
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

/** A forward proxy that knows names nobody else does: each of them is `target`. */
export interface ProxyServer extends AsyncDisposable {
  readonly url: string;
  /** What it was asked to connect to, or to fetch. */
  readonly tunnels: readonly string[];
}

export async function startProxy(
  target: string,
  address = '127.0.0.1',
  listenPort = 0,
): Promise<ProxyServer> {
  const tunnels: string[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((request, response) => {
    const { host, pathname, search } = new URL(request.url ?? '');
    tunnels.push(host);
    forward(`${target}${pathname}${search}`)(request, response);
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    tunnels.push(request.url ?? '');
    const upstream = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await listen(server, address, listenPort);
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    tunnels,
    [Symbol.asyncDispose]: () => close(server),
  };
}

/** The file as GitHub serves it: with an ETag, and from the middle if asked. */
export function file(content: Buffer): Handler {
  return (request, response) => {
    const etag = etagOf(content);
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.setHeader('content-type', 'application/octet-stream');
    response.setHeader('etag', etag);
    if (from > 0 && request.headers['if-range'] === etag) {
      response.statusCode = 206;
      response.setHeader('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
      response.end(content.subarray(from));
    } else {
      response.setHeader('content-length', content.length);
      response.end(content);
    }
  };
}

/** Announces all of it and breaks off after `bytes`, as a reset (RST) or a plain end of the connection. */
export function broken(content: Buffer, bytes: number, how: 'reset' | 'end'): Handler {
  return (_, response) => {
    response.writeHead(200, { 'content-length': content.length, etag: etagOf(content) });
    response.write(content.subarray(0, bytes), () => {
      setTimeout(() => {
        if (how === 'reset') response.socket?.resetAndDestroy();
        else response.socket?.end();
      }, 20);
    });
  };
}

/** Sends a part and then nothing more, for as long as the client waits. */
export function silent(content: Buffer, bytes: number): Handler {
  return (_, response) => {
    response.writeHead(200, { 'content-length': content.length, etag: etagOf(content) });
    response.write(content.subarray(0, bytes));
  };
}

/** A part every `ms` milliseconds. */
export function slow(content: Buffer, parts: number, ms: number): Handler {
  return (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    const size = Math.ceil(content.length / parts);
    let sent = 0;
    const timer = setInterval(() => {
      response.write(content.subarray(sent, sent + size));
      sent += size;
      if (sent >= content.length) {
        clearInterval(timer);
        response.end();
      }
    }, ms);
    response.on('close', () => {
      clearInterval(timer);
    });
  };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Handler {
  return (_, response) => {
    response.writeHead(code, headers).end(`status ${code}`);
  };
}

export function html(code = 200): Handler {
  return (_, response) => {
    response
      .writeHead(code, { 'content-type': 'text/html; charset=utf-8' })
      .end('<!DOCTYPE html><title>Sign in</title>');
  };
}

export function text(content: string): Handler {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end(content);
  };
}

export function redirect(to: string): Handler {
  return (_, response) => {
    response.writeHead(302, { location: to }).end();
  };
}

/** Passes the request on, under its own name of the host. */
export function forward(to: string): Handler {
  return ({ method, headers }, response) => {
    sendRequest(to, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    })
      .on('error', () => response.destroy())
      .end();
  };
}

/** Closes the connection before a word is said. */
export const hangUp: Handler = (request) => {
  request.socket.resetAndDestroy();
};

function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
}

function listen(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
