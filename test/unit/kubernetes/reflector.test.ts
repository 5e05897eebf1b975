import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Reflector } from '../../../src/kubernetes/reflector.ts';
import { ApiServer, reply, type Received } from '../network/apiserver.ts';

const PATH = '/api/v1/things';

interface Thing {
  metadata: { namespace: string; name: string; resourceVersion: string };
  value: string;
}

let server: ApiServer;
let stop: AbortController;
let listed: { version: string; items: Thing[] };
let watches: ServerResponse[];
let lists: number;
let said: string[];
const changed = vi.fn();

function thing(name: string, version: string, value = name): Thing {
  return { metadata: { namespace: 'n', name, resourceVersion: version }, value };
}

beforeEach(async () => {
  stop = new AbortController();
  listed = { version: '10', items: [thing('a', '9')] };
  watches = [];
  lists = 0;
  said = [];
  changed.mockReset();
  server = new ApiServer();
  server.handle = serve;
  await server.listen();
});

afterEach(() => {
  stop.abort();
  server.close();
});

function serve({ query, response }: Received): void {
  if (query['watch'] !== 'true') {
    lists += 1;
    reply(response, 200, { metadata: { resourceVersion: listed.version }, items: listed.items });
    return;
  }
  watches.push(response);
  response.writeHead(200).flushHeaders();
}

function start(client = server.client()): Reflector<Thing, string> {
  const resource = {
    path: PATH,
    query: { labelSelector: '!x' },
    keep: ({ value }: Thing) => (value === 'ignored' ? undefined : value),
  };
  const reflector = new Reflector(client, resource, changed, (text) => said.push(text));
  reflector.run(stop.signal).catch(() => undefined);
  return reflector;
}

function send(type: string, object: unknown): void {
  watches.at(-1)?.write(`${JSON.stringify({ type, object })}\n`);
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => {
    if (!condition()) throw new Error('not yet');
  }, 5000);
}

describe('Reflector', () => {
  test('lists, then watches from there', async () => {
    const reflector = start();
    await until(() => watches.length === 1);
    expect(reflector.synced).toBe(true);
    expect([...reflector.objects]).toEqual([['n/a', 'a']]);
    expect(server.received.map(({ query }) => query)).toEqual([
      { labelSelector: '!x' },
      {
        labelSelector: '!x',
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: '10',
        timeoutSeconds: '600',
      },
    ]);
  });

  test('takes additions, changes and deletions, also in halves', async () => {
    const reflector = start();
    await until(() => watches.length === 1);
    send('ADDED', thing('b', '11'));
    send('MODIFIED', thing('a', '12', 'A'));
    await until(() => reflector.objects.get('n/a') === 'A');
    expect([...reflector.objects]).toEqual([
      ['n/a', 'A'],
      ['n/b', 'b'],
    ]);
    const line = `${JSON.stringify({ type: 'DELETED', object: thing('b', '13') })}\n`;
    watches[0]?.write(line.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 20));
    watches[0]?.write(line.slice(20));
    await until(() => reflector.objects.size === 1);
    expect(changed).toHaveBeenCalledTimes(4);
  });

  test('says nothing of a change in what it does not keep', async () => {
    const reflector = start();
    await until(() => watches.length === 1);
    send('MODIFIED', thing('a', '11'));
    send('ADDED', thing('b', '12'));
    await until(() => reflector.objects.size === 2);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test('says nothing of objects it keeps nothing of, and forgets those that become so', async () => {
    const reflector = start();
    await until(() => watches.length === 1);
    send('ADDED', thing('c', '11', 'ignored'));
    send('MODIFIED', thing('a', '12', 'ignored'));
    await until(() => reflector.objects.size === 0);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test('goes on from the last version, bookmarks included, after a cut', async () => {
    const reflector = start();
    await until(() => watches.length === 1);
    send('ADDED', thing('b', '11'));
    send('BOOKMARK', { metadata: { resourceVersion: '40' } });
    await until(() => reflector.objects.size === 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.cut();
    await until(() => watches.length === 2);
    expect(lists).toBe(1);
    expect(server.received.at(-1)?.query['resourceVersion']).toBe('40');
    expect(said).toContain(`Failed to watch ${PATH}: aborted`);
    expect(reflector.objects.size).toBe(2);
  });

  test('goes on after a server that closes the watch early', async () => {
    start();
    await until(() => watches.length === 1);
    watches[0]?.end();
    await until(() => watches.length === 2);
    expect(lists).toBe(1);
    expect(said).toContain(`Failed to watch ${PATH}: the API server ended the watch`);
  });

  test.each([
    [
      'in the stream',
      () => {
        send('ERROR', { kind: 'Status', code: 410, message: 'too old' });
      },
    ],
    [
      'as an answer',
      () => {
        server.handle = (request) => {
          server.handle = serve;
          reply(request.response, 410, { message: 'too old' });
        };
        server.cut();
      },
    ],
  ])('lists anew after 410 Gone %s, and drops what is gone', async (_, expire) => {
    const reflector = start();
    await until(() => watches.length === 1);
    listed = { version: '50', items: [thing('z', '49')] };
    expire();
    await until(() => watches.length === 2);
    expect([...reflector.objects]).toEqual([['n/z', 'z']]);
    expect(server.received.at(-1)?.query['resourceVersion']).toBe('50');
  });

  test('waits out a server that is not there, or not ready', async () => {
    const { port } = server;
    const client = server.client();
    server.close();
    const reflector = start(client);
    await until(() => said.some((text) => text.includes('ECONNREFUSED')));
    server = new ApiServer();
    server.handle = ({ response }) => {
      reply(response, 403, { message: 'RBAC is starting' });
    };
    await server.listen(port);
    await until(() => said.some((text) => text.includes('403 RBAC is starting')));
    expect(reflector.synced).toBe(false);
    server.handle = serve;
    await until(() => reflector.synced);
  });
});
