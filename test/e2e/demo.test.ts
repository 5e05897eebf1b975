import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { file, startServer, type WebServer } from '../supply/server.ts';
import { OWN_IMAGES } from '../testbed/cluster.ts';
import { command } from '../testbed/command.ts';
import { image } from '../testbed/images/images.ts';
import { k3s, kubernetesVersion } from '../testbed/k3s.ts';
import { tool } from '../testbed/tools.ts';
import { ROOT } from './support/job.ts';

const TAG = `v${kubernetesVersion}+k3s1`;
const [go, uname, k3sName] =
  process.arch === 'x64' ? ['amd64', 'x86_64', 'k3s'] : ['arm64', 'aarch64', 'k3s-arm64'];

let site: WebServer;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-demo-'));
  site = await startServer();
  await publish();
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true });
});

test('the demo takes the official releases where it can, and compiles nothing it can have', async () => {
  const output = await command([process.execPath, join(ROOT, 'test/demo.ts')], {
    env: {
      ...process.env,
      RELEASES: undefined,
      RELEASE_SITE: site.url,
      K3S_RELEASE: TAG,
      RUNSC_RELEASE: 'latest',
      K3S_IN_GVISOR_CACHE: join(scratch, 'cache'),
    },
  });
  expect(output).toContain('Taking the official k3s, runsc, act and helm');
  expect(output).toContain('It works: the chart was installed and tested in gVisor (stock)');
  const taken = site.requests.map((request) => basename(decodeURIComponent(request)));
  expect(taken).toEqual(
    expect.arrayContaining([k3sName, `k3s-airgap-images-${go}.tar.zst`, 'runsc']),
  );
  expect(output).not.toMatch(/of \d+: (k3s|runsc|helm|act|coredns)/);
});

/** The testbed's own builds, as the release sites would have them. */
async function publish(): Promise<void> {
  const binary = await readFile(await k3s());
  const images = await airgapImages();
  const k3sBase = `/k3s-io/k3s/releases/download/${encodeURIComponent(TAG)}`;
  const imagesName = `k3s-airgap-images-${go}.tar.zst`;
  site.answer(`${k3sBase}/${k3sName}`, file(binary));
  site.answer(`${k3sBase}/${imagesName}`, file(images));
  answerText(
    `${k3sBase}/sha256sum-${go}.txt`,
    `${hash('sha256', binary)}  ${k3sName}\n${hash('sha256', images)}  ${imagesName}\n`,
  );
  const runsc = await readFile(await tool('runsc'));
  site.answer(`/latest/${uname}/runsc`, file(runsc));
  answerText(`/latest/${uname}/runsc.sha512`, `${hash('sha512', runsc)}  runsc\n`);
  const act = await archive(await tool('act'), 'act');
  const actBase = '/nektos/act/releases/download/v0.2.89';
  const actName = `act_Linux_${process.arch === 'x64' ? 'x86_64' : 'arm64'}.tar.gz`;
  site.answer(`${actBase}/${actName}`, file(act));
  answerText(`${actBase}/checksums.txt`, `${hash('sha256', act)}  ${actName}\n`);
  const helm = await archive(await tool('helm'), `linux-${go}/helm`);
  const helmName = `helm-v3.22.0-linux-${go}.tar.gz`;
  site.answer(`/${helmName}`, file(helm));
  answerText(`/${helmName}.sha256sum`, `${hash('sha256', helm)}  ${helmName}\n`);
}

const answerText = (path: string, text: string) => {
  site.answer(path, file(Buffer.from(text)));
};
const hash = (algorithm: string, content: Buffer) =>
  createHash(algorithm).update(content).digest('hex');

async function archive(program: string, member: string): Promise<Buffer> {
  const dir = await mkdtemp(join(scratch, 'archive-'));
  await command(['install', '-D', program, join(dir, member)]);
  await command(['tar', '-C', dir, '-czf', join(dir, 'archive.tar.gz'), member]);
  return readFile(join(dir, 'archive.tar.gz'));
}

/** One archive of all the images a cluster itself runs, as a release has it. */
async function airgapImages(): Promise<Buffer> {
  const dir = join(scratch, 'airgap');
  await mkdir(dir);
  const manifests: unknown[] = [];
  for (const name of OWN_IMAGES) {
    await command(['tar', '-C', dir, '-xf', await image(name)]);
    manifests.push(
      ...(JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as unknown[]),
    );
  }
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifests));
  const path = join(scratch, 'airgap.tar');
  await command(['tar', '-C', dir, '-cf', path, 'manifest.json', 'blobs']);
  return zstdCompressSync(await readFile(path));
}
