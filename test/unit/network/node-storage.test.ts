import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { NodeStorage, storagePatch, type NodeJson } from '../../../src/network/node-storage.ts';
import { ApiServer, reply } from './apiserver.ts';

const GIB = 2 ** 30;
const TMPFS = 0x01021994;
const EXT4 = 0xef53;

let version = 0;
const node = (resources: Record<string, string>): NodeJson => ({
  metadata: { name: 'n', resourceVersion: String(++version) },
  status: { capacity: resources, allocatable: resources },
});

describe('storagePatch', () => {
  const memory = { memory: `${(4 * GIB) / 1024}Ki` };
  test.each([
    ['a disk', memory, { type: EXT4, bytes: 50 * GIB }, '52428800Ki'],
    ['a tmpfs that ends', memory, { type: TMPFS, bytes: 2 * GIB }, '2097152Ki'],
    ['a tmpfs without end', memory, { type: TMPFS, bytes: 2 ** 62 }, '4194304Ki'],
    ['a tmpfs that does not say', memory, { type: TMPFS, bytes: 0 }, '4194304Ki'],
    ['memory in bytes', { memory: '1048576' }, { type: TMPFS, bytes: 0 }, '1024Ki'],
    ['a kubelet that has not spoken', {}, { type: EXT4, bytes: GIB }, undefined],
    [
      'a node that has it',
      { ...memory, 'ephemeral-storage': '1Gi' },
      { type: EXT4, bytes: GIB },
      undefined,
    ],
  ])('%s', (_, resources, fileSystem, expected) => {
    const patch = storagePatch(node(resources), fileSystem);
    expect(patch?.status.capacity['ephemeral-storage']).toBe(expected);
    expect(patch?.status.allocatable['ephemeral-storage']).toBe(expected);
  });

  test('a node without a status', () => {
    expect(storagePatch({ metadata: {} }, { type: EXT4, bytes: GIB })).toBeUndefined();
  });
});

describe('NodeStorage', () => {
  let server: ApiServer;
  let stop: AbortController;
  let refusals = 0;
  let watcher: ApiServer['received'][number] | undefined;
  const patches = () => server.received.filter(({ method }) => method === 'PATCH');
  const send = (type: string, object: NodeJson) =>
    watcher?.response.write(`${JSON.stringify({ type, object })}\n`);

  beforeEach(async () => {
    stop = new AbortController();
    watcher = undefined;
    refusals = 0;
    server = new ApiServer();
    server.handle = (request) => {
      const { method, query, response } = request;
      if (method === 'PATCH') {
        reply(response, refusals-- > 0 ? 500 : 200, {});
      } else if (query['watch'] === 'true') {
        watcher = request;
        response.writeHead(200).flushHeaders();
      } else {
        reply(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
      }
    };
    await server.listen();
    new NodeStorage(server.client(), 'n', '/', () => undefined)
      .run(stop.signal)
      .catch(() => undefined);
    await vi.waitFor(() => {
      expect(watcher).toBeDefined();
    });
  });
  afterEach(() => {
    stop.abort();
    server.close();
  });

  test('completes a node as it appears, and again when somebody takes it away', async () => {
    send('ADDED', node({}));
    send('MODIFIED', node({ memory: '1048576Ki' }));
    await vi.waitFor(() => {
      expect(patches()).toHaveLength(1);
    });
    expect(patches()[0]).toMatchObject({
      path: '/api/v1/nodes/n/status',
      body: {
        status: { capacity: { 'ephemeral-storage': expect.stringMatching(/^\d+Ki$/) as string } },
      },
    });
    send('MODIFIED', node({ memory: '1048576Ki', 'ephemeral-storage': '1Ki' }));
    send('DELETED', node({}));
    send('ADDED', node({ memory: '1048576Ki' }));
    await vi.waitFor(() => {
      expect(patches()).toHaveLength(2);
    });
  });

  test('tries again what the API server refused', async () => {
    refusals = 1;
    send('ADDED', node({ memory: '1048576Ki' }));
    await vi.waitFor(() => {
      expect(patches()).toHaveLength(2);
    }, 5000);
  });
});
