import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { download } from '../../src/supply/download.ts';
import { httpGetText, type HttpOptions } from '../../src/supply/http.ts';
import { sha256 } from './release.ts';
import {
  broken,
  file,
  hangUp,
  html,
  redirect,
  silent,
  slow,
  startProxy,
  startServer,
  status,
  text,
  type WebServer,
} from './server.ts';

const CONTENT = randomBytes(1 << 20);

let directory: string;
let server: WebServer;
let slept: number[];
let options: HttpOptions;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'download-'));
  server = await startServer();
  slept = [];
  options = {
    stallMs: 10_000,
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  };
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

async function fetched(changes: HttpOptions = {}): Promise<Buffer> {
  const path = join(directory, 'file');
  const { sha256: found } = await download(`${server.url}/file`, path, { ...options, ...changes });
  const content = readFileSync(path);
  expect(found).toBe(sha256(content));
  return content;
}

describe('download', () => {
  it('takes a file as it is, in one request', async () => {
    server.answer('/file', file(CONTENT));
    expect((await fetched()).equals(CONTENT)).toBe(true);
    expect(server.requests).toEqual(['GET /file']);
  });

  it.each([
    ['500, then 200', [status(500), file(CONTENT)]],
    ['503 twice, then 200', [status(503), status(503), file(CONTENT)]],
    ['429, then 200', [status(429), file(CONTENT)]],
    ['408, then 200', [status(408), file(CONTENT)]],
    ['a connection that is closed at once', [hangUp, file(CONTENT)]],
    ['an HTML page with status 502, then 200', [html(502), file(CONTENT)]],
  ])('tries again: %s', async (_, handlers) => {
    server.answer('/file', ...handlers);
    expect((await fetched()).equals(CONTENT)).toBe(true);
    expect(server.requests).toHaveLength(handlers.length);
    expect(slept).toHaveLength(handlers.length - 1);
  });

  it.each(['reset', 'end'] as const)('goes on where a connection broke (%s)', async (how) => {
    server.answer('/file', broken(CONTENT, 300_000, how), file(CONTENT));
    expect((await fetched()).equals(CONTENT)).toBe(true);
    // A reset takes what is on its way with it.
    expect(server.requests).toEqual(['GET /file', expect.stringMatching(/ bytes=[1-9]\d*-$/)]);
  });

  it('begins anew where the file has changed meanwhile', async () => {
    server.answer('/file', broken(randomBytes(CONTENT.length), 300_000, 'reset'), file(CONTENT));
    expect((await fetched()).equals(CONTENT)).toBe(true);
    expect(server.requests).toEqual(['GET /file', expect.stringMatching(/ bytes=[1-9]\d*-$/)]);
  });

  it('goes on after a silence', async () => {
    server.answer('/file', silent(CONTENT, 300_000), file(CONTENT));
    expect((await fetched({ stallMs: 1_500 })).equals(CONTENT)).toBe(true);
    expect(server.requests).toEqual(['GET /file', 'GET /file bytes=300000-']);
  });

  it('waits for a slow server that does send', async () => {
    server.answer('/file', slow(CONTENT, 10, 300));
    expect((await fetched({ stallMs: 2_000 })).equals(CONTENT)).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it('tells how far it is, every now and then', async () => {
    const told: unknown[] = [];
    server.answer('/file', slow(CONTENT, 4, 10));
    const path = join(directory, 'file');
    await download(`${server.url}/file`, path, {
      ...options,
      progressMs: 0,
      onProgress: (received, total) => told.push([received, total]),
    });
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-1)).toEqual([CONTENT.length, CONTENT.length]);
  });

  it('ends at once when the timeout passes before the server answers', async () => {
    server.answer('/file', () => undefined);
    const signal = AbortSignal.timeout(200);
    await expect(fetched({ signal })).rejects.toThrow('Failed to download');
    await expect(fetched({ signal })).rejects.toThrow('Failed to download');
  });

  it('waits as long as the server asks, and never longer than a minute', async () => {
    server.answer(
      '/file',
      status(503, { 'retry-after': '7' }),
      status(503, { 'retry-after': '86400' }),
      file(CONTENT),
    );
    await fetched();
    expect(slept).toEqual([7_000, 60_000]);
  });

  it.each([404, 403, 401, 410])('takes status %i for an answer', async (code) => {
    server.answer('/file', status(code));
    await expect(fetched()).rejects.toThrow(`Failed to download ${server.url}/file: HTTP ${code}`);
    expect(server.requests).toHaveLength(1);
  });

  it('gives up after five attempts, and says what was seen last', async () => {
    server.answer('/file', status(500));
    await expect(fetched()).rejects.toThrow(/HTTP 500 Internal Server Error$/);
    expect(server.requests).toHaveLength(5);
  });

  it('refuses a page where a file should be', async () => {
    server.answer('/file', html());
    await expect(fetched()).rejects.toThrow('the answer is an HTML page, not a file');
    expect(server.requests).toHaveLength(1);
  });

  it('never ends with less than was announced', async () => {
    server.answer('/file', broken(CONTENT, 300_000, 'end'));
    await expect(fetched()).rejects.toThrow(/^Failed to download .*: the connection broke$/);
  });

  it('ends when the timeout of the action passes', async () => {
    server.answer('/file', silent(CONTENT, 1_000));
    const signal = AbortSignal.timeout(200);
    await expect(fetched({ signal, stallMs: 20_000 })).rejects.toThrow('aborted due to timeout');
  });

  it('does not try again when nobody can write', async () => {
    server.answer('/file', file(CONTENT));
    await expect(download(`${server.url}/file`, '/dev/full', options)).rejects.toThrow('ENOSPC');
    expect(server.requests).toHaveLength(1);
  });

  it('follows a redirect, as release files have one', async () => {
    server.answer('/file', redirect(`${server.url}/other`));
    server.answer('/other', file(CONTENT));
    expect((await fetched()).equals(CONTENT)).toBe(true);
  });

  it('asks the proxy of the environment, and leaves it out where NO_PROXY says so', async () => {
    await using proxy = await startProxy(server.url);
    server.answer('/file', file(CONTENT));
    vi.stubEnv('HTTP_PROXY', proxy.url);
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    vi.stubEnv('http_proxy', '');
    vi.stubEnv('no_proxy', '');
    const path = join(directory, 'file');
    await download('http://releases.example/file', path, options);
    expect(readFileSync(path).equals(CONTENT)).toBe(true);
    expect(proxy.tunnels).toEqual(['releases.example:80']);
    await fetched();
    expect(proxy.tunnels).toHaveLength(1);
  });

  it('sends no token to anybody, on GHES neither', async () => {
    vi.stubEnv('GITHUB_SERVER_URL', 'https://ghes.example');
    vi.stubEnv('GITHUB_TOKEN', 'secret');
    let headers: unknown;
    server.answer('/file', (request, response) => {
      headers = request.headers;
      response.end(CONTENT);
    });
    await fetched();
    expect(headers).not.toHaveProperty('authorization');
  });
});

describe('httpGetText', () => {
  it('reads a small answer', async () => {
    server.answer('/sums', text('abc\n'));
    expect(await httpGetText(`${server.url}/sums`, options)).toBe('abc\n');
  });

  it('refuses one that is no small file', async () => {
    server.answer('/sums', file(randomBytes((1 << 20) + 1)));
    await expect(httpGetText(`${server.url}/sums`, options)).rejects.toThrow('longer than 1 MiB');
  });

  it('reads it again where it was cut short', async () => {
    server.answer('/sums', broken(Buffer.from('0123456789'), 4, 'end'), text('0123456789'));
    expect(await httpGetText(`${server.url}/sums`, options)).toBe('0123456789');
  });
});
