import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Gateway } from '../../../../src/network/gateway/session.ts';
import { Peer } from '../peer.ts';

const WEB = 'tcp 10.43.0.10:80';

let directory: string;
let path: string;
let peer: Peer;
let stop: AbortController;
const settled = vi.fn();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  path = join(directory, 'control');
  peer = new Peer();
  stop = new AbortController();
  settled.mockReset();
});

afterEach(async () => {
  stop.abort();
  peer.close();
  await rm(directory, { recursive: true });
});

function start(): Gateway {
  const gateway = new Gateway(path, settled, () => undefined);
  gateway.run(stop.signal).catch(() => undefined);
  return gateway;
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => {
    if (!condition()) throw new Error('not yet');
  }, 5000);
}

describe('Gateway', () => {
  test('sends everything between begin and end, then differences', async () => {
    await peer.listen(path);
    const gateway = start();
    gateway.apply(new Map([[WEB, '10.42.0.5:80']]));
    await until(() => gateway.synced);
    gateway.apply(
      new Map([
        [WEB, '10.42.0.5:80'],
        ['tcp *:81', ''],
      ]),
    );
    gateway.apply(new Map([['tcp *:81', 'affinity=60 10.42.0.6:80']]));
    await until(() => gateway.synced);
    expect(peer.lines).toEqual([
      'begin',
      `set ${WEB} 10.42.0.5:80`,
      'end',
      'watch',
      'set tcp *:81',
      `del ${WEB}`,
      'set tcp *:81 affinity=60 10.42.0.6:80',
    ]);
    expect(gateway.isListening('tcp *:81')).toBe(true);
    expect(gateway.isListening(WEB)).toBe(false);
  });

  test('waits for a gateway that is not there yet', async () => {
    const gateway = start();
    gateway.apply(new Map());
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(gateway.synced).toBe(false);
    await peer.listen(path);
    await until(() => gateway.synced);
    expect(peer.lines).toEqual(['begin', 'end', 'watch']);
  });

  test('tells a gateway that comes back everything, and not before it knows everything', async () => {
    await peer.listen(path);
    const gateway = start();
    await until(() => gateway.sessions === 1);
    expect(peer.lines).toEqual([]);
    gateway.apply(new Map([[WEB, '10.42.0.5:80']]));
    await until(() => gateway.synced);

    peer.lines.length = 0;
    peer.disconnect();
    await until(() => gateway.sessions === 2 && gateway.synced);
    expect(peer.lines).toEqual(['begin', `set ${WEB} 10.42.0.5:80`, 'end', 'watch']);
  });

  test('reports what is refused, leaves it alone, tries again, and is glad when it works', async () => {
    const reason = 'Failed to listen on 127.0.0.1:81: Address already in use';
    peer.answer = (line) => (line.startsWith('set tcp *:81') ? `error EADDRINUSE ${reason}` : 'ok');
    await peer.listen(path);
    const gateway = start();
    gateway.apply(new Map([['tcp *:81', '']]));
    await until(() => gateway.synced);
    expect([...gateway.refusals]).toEqual([
      ['tcp *:81', { code: 'EADDRINUSE', message: reason, value: '' }],
    ]);
    expect(gateway.isListening('tcp *:81')).toBe(false);

    peer.lines.length = 0;
    gateway.apply(
      new Map([
        ['tcp *:81', ''],
        [WEB, ''],
      ]),
    );
    await until(() => gateway.synced);
    expect(peer.lines).toEqual([`set ${WEB}`]);

    peer.answer = () => 'ok';
    await until(() => gateway.isListening('tcp *:81'));
    expect(gateway.refusals.size).toBe(0);
  });

  test('hears of pods whose policies are not in force, and that they are again', async () => {
    peer.answer = (line) =>
      line === 'watch' ? 'ok\ntrouble isolated a/b\ntrouble foreign a/c' : 'ok';
    await peer.listen(path);
    const gateway = start();
    gateway.apply(new Map());
    await until(() => gateway.troubles.size === 2);
    expect([...gateway.troubles]).toEqual([
      ['a/b', 'isolated'],
      ['a/c', 'foreign'],
    ]);
    const before = settled.mock.calls.length;
    peer.answer = () => 'trouble none a/b\nok';
    gateway.apply(new Map([[WEB, '']]));
    await until(() => gateway.troubles.size === 1);
    expect(settled.mock.calls.length).toBeGreaterThan(before);
    peer.answer = () => 'ok';
    peer.disconnect();
    await until(() => gateway.troubles.size === 0);
  });

  test('forgets a refused frontend nobody wants any more', async () => {
    peer.answer = (line) => (/^(set|del) tcp \*:81/.test(line) ? 'error EINVAL no' : 'ok');
    await peer.listen(path);
    const gateway = start();
    gateway.apply(new Map([['tcp *:81', '']]));
    await until(() => gateway.refusals.size === 1);
    gateway.apply(new Map());
    await until(() => gateway.synced && gateway.refusals.size === 0);
    expect(peer.lines.at(-1)).toBe('del tcp *:81');
  });

  test('starts over with a gateway that answers nonsense', async () => {
    peer.answer = (line) => {
      peer.answer = () => 'ok';
      return `what is ${line}?`;
    };
    await peer.listen(path);
    const gateway = start();
    gateway.apply(new Map());
    await until(() => gateway.sessions === 2 && gateway.synced);
  });

  test('says when all is answered, also when nothing was to be said', async () => {
    await peer.listen(path);
    const gateway = start();
    gateway.apply(new Map());
    await until(() => gateway.synced);
    const before = settled.mock.calls.length;
    gateway.apply(new Map());
    expect(settled.mock.calls.length).toBe(before + 1);
  });
});
