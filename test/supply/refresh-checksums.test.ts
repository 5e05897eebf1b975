import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startServer, text, type WebServer } from './server.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/releases/refresh-checksums.ts');
const TAG = 'v1.34.1+k3s1';
const hash = (digit: string): string => digit.repeat(64);

let directory: string;
let server: WebServer;
let table: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'checksums-'));
  table = join(directory, 'checksums.json');
  writeFileSync(table, '{}\n');
  server = await startServer();
  publishSums(TAG, 'a');
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function publishSums(tag: string, digit: string): void {
  for (const [arch, binary] of [
    ['amd64', 'k3s'],
    ['arm64', 'k3s-arm64'],
  ] as const) {
    server.answer(
      `/${encodeURIComponent(tag)}/sha256sum-${arch}.txt`,
      text(
        `${hash('f')}  k3s-airgap-images-${arch}.tar\n${hash('b')}  k3s-airgap-images-${arch}.tar.zst\n${hash(digit)}  ${binary}\n`,
      ),
    );
  }
}

async function refresh(...tags: string[]): Promise<{ code: unknown; stderr: string }> {
  const child = spawn(process.execPath, [SCRIPT, ...tags], {
    env: { ...process.env, CHECKSUMS: table, RELEASE_MIRROR: server.url },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as unknown[];
  return { code, stderr };
}

const pinned = (): unknown => JSON.parse(readFileSync(table, 'utf8'));

it('pins what the action uses of a release, for both architectures', async () => {
  expect(await refresh(TAG)).toMatchObject({ code: 0 });
  expect(pinned()).toEqual({
    [TAG]: {
      k3s: hash('a'),
      'k3s-airgap-images-amd64.tar.zst': hash('b'),
      'k3s-arm64': hash('a'),
      'k3s-airgap-images-arm64.tar.zst': hash('b'),
    },
  });
});

it('refuses to change a hash that is pinned, and leaves the table as it is', async () => {
  await refresh(TAG);
  const before = pinned();
  publishSums(TAG, 'c');
  const { code, stderr } = await refresh(TAG);
  expect(code).toBe(1);
  expect(stderr).toContain(`Failed to pin k3s of ${TAG}: ${hash('a')} is pinned`);
  expect(pinned()).toEqual(before);
});

it('refuses what is no tag', async () => {
  const { code, stderr } = await refresh('stable');
  expect(code).toBe(1);
  expect(stderr).toContain('"stable"; give tags such as');
});
