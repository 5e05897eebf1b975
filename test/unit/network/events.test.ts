import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { EventRecorder, eventFor } from '../../../src/network/events.ts';
import type { Notice } from '../../../src/network/notice.ts';
import { ApiServer, reply } from './apiserver.ts';

const ABOUT = { kind: 'Service', namespace: 'n', name: 'web', uid: 'u', created: 0 } as const;
const NOTICE: Notice = { about: ABOUT, reason: 'PortConflict', message: 'taken' };
const OTHER: Notice = { ...NOTICE, message: 'taken by another' };
const MINUTE = 60_000;

let server: ApiServer;
let recorder: EventRecorder;

beforeEach(async () => {
  server = new ApiServer();
  server.handle = ({ response }) => {
    reply(response, 201, {});
  };
  await server.listen();
  recorder = new EventRecorder(server.client(), 'node', () => undefined);
});

afterEach(() => {
  server.close();
});

async function posted(count: number): Promise<void> {
  await vi.waitFor(() => {
    if (server.received.length < count) throw new Error('not yet');
  });
  // Whatever would be too much has had its time.
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(server.received).toHaveLength(count);
}

describe('EventRecorder', () => {
  test('says what stands once, and what is new', async () => {
    recorder.report([NOTICE, NOTICE], 0);
    recorder.report([NOTICE], 10 * MINUTE);
    recorder.report([NOTICE, OTHER], 20 * MINUTE);
    await posted(2);
    expect(server.received[0]?.path).toBe('/api/v1/namespaces/n/events');
    expect(server.received.map(({ body }) => (body as { message: string }).message)).toEqual([
      'taken',
      'taken by another',
    ]);
    expect(recorder.recorded).toBe(2);
  });

  test('says what comes and goes at most once a minute', async () => {
    for (let second = 0; second < 120; second += 1) {
      recorder.report(second % 2 ? [] : [NOTICE], second * 1000);
    }
    await posted(2);
  });

  test('raises the count of an Event that is there already', async () => {
    server.handle = ({ method, response }) => {
      if (method === 'POST') reply(response, 409, { message: 'exists' });
      else reply(response, 200, { count: 4 });
    };
    recorder.report([NOTICE], 0);
    await posted(3);
    const { name } = eventFor(NOTICE, 'node', new Date()).metadata;
    expect(server.received[2]).toMatchObject({
      method: 'PATCH',
      path: `/api/v1/namespaces/n/events/${name}`,
      body: { count: 5 },
    });
  });

  test('says again what could not be said, unless its namespace is going', async () => {
    server.handle = ({ response }) => {
      reply(response, 503, { message: 'later' });
    };
    recorder.report([NOTICE], 0);
    await posted(1);
    server.handle = ({ response }) => {
      reply(response, 403, { message: 'because it is being terminated' });
    };
    recorder.report([NOTICE], 1);
    await posted(2);
    recorder.report([NOTICE], 2);
    await posted(2);
    expect(recorder.recorded).toBe(0);
  });
});

test('an Event has a name that is short enough and its own', () => {
  const long = { ...NOTICE, about: { ...ABOUT, name: 'x'.repeat(253) } };
  const name = (notice: Notice) => eventFor(notice, 'node', new Date()).metadata.name;
  expect(name(long).length).toBeLessThanOrEqual(253);
  expect(name(NOTICE)).toMatch(/^web\.[0-9a-f]{16}$/);
  expect(name(NOTICE)).not.toBe(name(OTHER));
});
