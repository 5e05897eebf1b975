import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from '../testbed/cache.ts';
import { command } from '../testbed/command.ts';
import type { Action } from './action.ts';
import { BENCH_PATH } from './group.ts';

/** Programs that run in the sandbox. */
export const INSIDE = join(import.meta.dirname, 'inside');

/** inside/traffic.c, static, since it runs in pods of any image. */
export async function traffic(): Promise<string> {
  const source = join(INSIDE, 'traffic.c');
  return cached('bench-traffic', [await readFile(source), process.arch], async (path) => {
    await command(['musl-gcc', '-static', '-std=c11', '-D_GNU_SOURCE', '-O2', '-o', path, source]);
  });
}

const MANIFEST = `${BENCH_PATH}/traffic.yaml`;

/** Pods `server` and `client` that have the program, and a Service of the server. */
export async function applyTraffic(cluster: Action): Promise<void> {
  await cluster.step(['kubectl', 'apply', '--filename', MANIFEST]);
  await cluster.step(['kubectl', 'wait', '--for=condition=Ready', 'pod/server', 'pod/client']);
}

export async function deleteTraffic(cluster: Action): Promise<void> {
  await cluster.step(['kubectl', 'delete', '--filename', MANIFEST]);
}
