import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';

import { exposition, serveHealth } from '../../../src/network/health.ts';

const METRIC = { name: 'k_ready', type: 'gauge', help: 'Help.', value: 1 } as const;
let stop = new AbortController();

afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

async function start(missing: string | undefined): Promise<string> {
  const health = { notReady: () => missing, metrics: () => [METRIC] };
  const server = await serveHealth(0, health, stop.signal);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('serveHealth', () => {
  test.each([
    [undefined, '/healthz', 200, 'ok\n'],
    [undefined, '/readyz', 200, 'ok\n'],
    ['no table', '/healthz', 200, 'ok\n'],
    ['no table', '/readyz', 503, 'no table\n'],
    [undefined, '/metrics', 200, exposition([METRIC])],
    [undefined, '/', 404, 'not found\n'],
  ])('missing %j: %s answers %i', async (missing, path, status, body) => {
    const response = await fetch((await start(missing)) + path);
    expect([response.status, await response.text()]).toEqual([status, body]);
  });

  test('names a port that is taken', async () => {
    const port = Number(new URL(await start(undefined)).port);
    const second = serveHealth(port, { notReady: () => undefined, metrics: () => [] }, stop.signal);
    await expect(second).rejects.toThrow(`Failed to listen on 127.0.0.1:${port}: `);
  });
});

test('exposition is the Prometheus text format', () => {
  expect(exposition([METRIC])).toBe('# HELP k_ready Help.\n# TYPE k_ready gauge\nk_ready 1\n');
});
