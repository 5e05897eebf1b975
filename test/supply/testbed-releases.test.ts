import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { command } from '../testbed/command.ts';
import { reachable, released } from '../testbed/releases.ts';
import { file, startServer, type WebServer } from './server.ts';

const cache = vi.hoisted(() => {
  // Read when the testbed's modules are loaded.
  const path = `/tmp/k3s-in-gvisor-releases-${process.pid}`;
  process.env['K3S_IN_GVISOR_CACHE'] = path;
  return path;
});
afterAll(() => rm(cache, { recursive: true, force: true }));

const TAG = 'v1.34.1+k3s1';
const K3S = `/k3s-io/k3s/releases/download/${encodeURIComponent(TAG)}`;
const architecture = process.arch === 'x64' ? 'x86_64' : 'aarch64';
const [goArchitecture, k3sFile] =
  process.arch === 'x64' ? ['amd64', 'k3s'] : ['arm64', 'k3s-arm64'];
const sums = `${K3S}/sha256sum-${goArchitecture}.txt`;
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

let site: WebServer;
beforeEach(async () => {
  site = await startServer();
  vi.stubEnv('RELEASES', 'official');
  vi.stubEnv('RELEASE_SITE', site.url);
  vi.stubEnv('K3S_RELEASE', TAG);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await site[Symbol.asyncDispose]();
  await rm(cache, { recursive: true, force: true });
});

describe('k3s', () => {
  const binary = Buffer.from('the k3s binary');
  const publish = (content = binary, said = sha256(binary)) => {
    site.answer(`${K3S}/${k3sFile}`, file(content));
    site.answer(
      sums,
      file(Buffer.from(`${sha256(Buffer.from('x'))}  other\n${said}  ${k3sFile}\n`)),
    );
  };

  test('is taken, executable, and once', async () => {
    publish();
    const path = await released('k3s');
    expect(await readFile(path ?? '')).toEqual(binary);
    await expect(command(['test', '-x', path ?? ''])).resolves.toBe('');
    expect(await released('k3s')).toBe(path);
    expect(site.requests.filter((request) => request.endsWith(k3sFile))).toHaveLength(1);
  });

  test('is refused where it is not what its release says, and nothing of it stays', async () => {
    publish(Buffer.from('something else'));
    await expect(released('k3s')).rejects.toThrow(/^Failed to verify .*its sha256 is /);
    publish();
    expect(await readFile((await released('k3s')) ?? '')).toEqual(binary);
  });

  test('is refused where the sums do not name it', async () => {
    publish();
    site.answer(sums, file(Buffer.from(`${sha256(binary)}  not-k3s-arm64\n`)));
    await expect(released('k3s')).rejects.toThrow('has no line for it');
  });

  test('is refused unpinned where only what is pinned may be taken', async () => {
    vi.stubEnv('PINNED_ONLY', '1');
    vi.stubEnv('K3S_RELEASE', 'v1.0.0+k3s9');
    await expect(released('k3s')).rejects.toThrow('no hash in this repository names it');
    expect(site.requests).toEqual([]);
  });

  test('is looked for by its sums', async () => {
    expect(await reachable()).toBe(false);
    publish();
    expect(await reachable()).toBe(true);
  });
});

test('the images of a k3s are unpacked to the plain tar that the testbed has', async () => {
  const tar = Buffer.from('a tar of images');
  const packed = zstdCompressSync(tar);
  const name = `k3s-airgap-images-${goArchitecture}.tar.zst`;
  site.answer(`${K3S}/${name}`, file(packed));
  site.answer(sums, file(Buffer.from(`${sha256(packed)}  ${name}\n`)));
  const path = await released('airgap-images');
  expect(path).toMatch(/\.tar$/);
  expect(await readFile(path ?? '')).toEqual(tar);
});

test('runsc is the newest, by its own SHA-512', async () => {
  const runsc = Buffer.from('runsc');
  const sha512 = createHash('sha512').update(runsc).digest('hex');
  site.answer(`/latest/${architecture}/runsc`, file(runsc));
  site.answer(`/latest/${architecture}/runsc.sha512`, file(Buffer.from(`${sha512}  runsc\n`)));
  expect(await readFile((await released('runsc')) ?? '')).toEqual(runsc);
});

test('act and helm come out of their archives, in the versions that would be built', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'k3s-in-gvisor-'));
  await mkdir(join(dir, `linux-${goArchitecture}`));
  await writeFile(join(dir, `linux-${goArchitecture}/helm`), 'helm');
  await writeFile(join(dir, 'act'), 'act');
  const pack = async (member: string) => {
    const path = join(dir, 'archive.tar.gz');
    await command(['tar', '-C', dir, '-czf', path, member]);
    return readFile(path);
  };
  const helm = await pack(`linux-${goArchitecture}/helm`);
  const helmFile = `helm-v3.22.0-linux-${goArchitecture}.tar.gz`;
  site.answer(`/${helmFile}`, file(helm));
  site.answer(`/${helmFile}.sha256sum`, file(Buffer.from(`${sha256(helm)}  ${helmFile}\n`)));
  const act = await pack('act');
  const actFile = `act_Linux_${architecture === 'aarch64' ? 'arm64' : architecture}.tar.gz`;
  const actBase = '/nektos/act/releases/download/v0.2.89';
  site.answer(`${actBase}/${actFile}`, file(act));
  site.answer(`${actBase}/checksums.txt`, file(Buffer.from(`${sha256(act)} *${actFile}\n`)));
  await rm(dir, { recursive: true });

  expect(await readFile((await released('helm')) ?? '', 'utf8')).toBe('helm');
  expect(await readFile((await released('act')) ?? '', 'utf8')).toBe('act');
});

test('nothing is asked for where the testbed builds', async () => {
  vi.stubEnv('RELEASES', 'build');
  expect(await released('k3s')).toBeUndefined();
  expect(site.requests).toEqual([]);
});
