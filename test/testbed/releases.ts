/**
 * Official builds, in the place of what the testbed compiles otherwise: k3s with its images, runsc,
 * act and helm, where their release sites can be reached.
 *
 *   RELEASES=official   take them; RELEASES=build compiles; `make demo` looks what it can have
 *   RELEASE_SITE=URL    one address that plays all release sites
 *   K3S_RELEASE=TAG     another k3s than action.yml's own
 *   RUNSC_RELEASE=DATE  a dated gVisor (20251117.0); else the newest pinned one, else the newest
 *   PINNED_ONLY=1       refuse what no hash in this repository names
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { parse } from 'yaml';

import { download } from '../../src/supply/download.ts';
import { httpGetText } from '../../src/supply/http.ts';
import { RELEASES, releaseFiles, releaseUrl } from '../../src/k3s/release.ts';
import { CHECKSUMS } from '../../src/k3s/checksums.ts';
import { cached } from './cache.ts';
import { command } from './command.ts';
import { testbedDir } from './paths.ts';

export interface Release {
  url: string;
  /** Where the release says the file's hash. */
  sums: string;
  algorithm: 'sha256' | 'sha512';
  /** The hash, if this repository names it. */
  pinned: string | undefined;
  /** What to take out of it, where it is an archive. */
  member?: string;
}

const GITHUB = 'https://github.com';
export const GVISOR = 'https://storage.googleapis.com/gvisor/releases/release';
const HELM = 'https://get.helm.sh';

const ZST = '.zst';

/** Long enough for a proxy, short for somebody who waits for the demo. */
const PROBE_TIMEOUT_MS = 5_000;

type Architecture = Readonly<Record<'runsc' | 'act' | 'helm', string>>;
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: { runsc: 'x86_64', act: 'x86_64', helm: 'amd64' },
  arm64: { runsc: 'aarch64', act: 'arm64', helm: 'arm64' },
};

export const official = () => process.env['RELEASES'] === 'official';

/** A verified official build, or undefined where the testbed is to compile its own. */
export async function released(name: string): Promise<string | undefined> {
  if (!official()) return undefined;
  const all = await releases();
  const release = all[name];
  return release && obtain(name, release);
}

/** Whether the release sites answer; asked by the smallest file that is needed anyway. */
export async function reachable(): Promise<boolean> {
  const { k3s } = await releases();
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  return httpGetText(k3s?.sums ?? '', { signal }).then(
    () => true,
    () => false,
  );
}

async function obtain(name: string, release: Release): Promise<string> {
  const { url, algorithm, member } = release;
  // Plain, as the testbed's own archives are.
  const result = member ?? basename(new URL(url).pathname, ZST);
  const expected = await expectedHash(release);
  const dir = await cached(`release-${name}`, [url, expected], async (path) => {
    await mkdir(path);
    const file = join(path, basename(new URL(url).pathname));
    await download(url, file);
    const hash = createHash(algorithm);
    await pipeline(createReadStream(file), hash);
    const actual = hash.digest('hex');
    if (actual !== expected) {
      throw new Error(`Failed to verify ${url}: its ${algorithm} is ${actual}, not ${expected}`);
    }
    if (member) await command(['tar', '-C', path, '-xf', file, member]);
    if (file.endsWith(ZST)) {
      const plain = createWriteStream(join(path, result));
      await pipeline(createReadStream(file), createZstdDecompress(), plain);
    }
    await chmod(join(path, result), 0o755);
  });
  return join(dir, result);
}

async function expectedHash({ url, sums, pinned }: Release): Promise<string> {
  if (pinned !== undefined) return pinned;
  if (process.env['PINNED_ONLY'] !== undefined) {
    throw new Error(
      `Failed to verify ${url}: no hash in this repository names it; see docs/releasing.md`,
    );
  }
  const name = decodeURIComponent(basename(new URL(url).pathname));
  for (const line of (await httpGetText(sums)).split('\n')) {
    const [hash = '', file = ''] = line.trim().split(/\s+\*?/);
    if (basename(file) === name) return hash.toLowerCase();
  }
  throw new Error(`Failed to verify ${url}: ${sums} has no line for it`);
}

/** What each release is, for this machine. */
async function releases(): Promise<Readonly<Record<string, Release>>> {
  const architecture = ARCHITECTURES[process.arch];
  if (!architecture) throw new Error(`Failed to find releases for ${process.arch}`);
  const site = process.env['RELEASE_SITE'];
  const [github, gvisor, helm] = [site ?? GITHUB, site ?? GVISOR, site ?? HELM];
  const tag = process.env['K3S_RELEASE'] ?? (await defaultTag());
  const files = releaseFiles(process.arch);
  const k3sBase = site === undefined ? RELEASES : `${site}${new URL(RELEASES).pathname}`;
  const k3s = (name: string): Release => ({
    url: releaseUrl(k3sBase, tag, name),
    sums: releaseUrl(k3sBase, tag, files.sums),
    algorithm: 'sha256',
    pinned: CHECKSUMS[tag]?.[name],
  });
  const act = await moduleVersion('act', 'github.com/nektos/act');
  const actBase = `${github}/nektos/act/releases/download/${act}`;
  const helmFile = `helm-${await moduleVersion('helm', 'helm.sh/helm/v3')}-linux-${architecture.helm}.tar.gz`;
  const pins = JSON.parse(await readFile(join(testbedDir, 'releases.json'), 'utf8')) as Readonly<
    Record<string, string>
  >;
  const runscRelease = process.env['RUNSC_RELEASE'] ?? newestRunsc(Object.keys(pins)) ?? 'latest';
  const gvisorBase = `${gvisor}/${runscRelease}/${architecture.runsc}`;
  const others: Record<string, Omit<Release, 'pinned'>> = {
    runsc: { url: `${gvisorBase}/runsc`, sums: `${gvisorBase}/runsc.sha512`, algorithm: 'sha512' },
    act: {
      url: `${actBase}/act_Linux_${architecture.act}.tar.gz`,
      sums: `${actBase}/checksums.txt`,
      algorithm: 'sha256',
      member: 'act',
    },
    helm: {
      url: `${helm}/${helmFile}`,
      sums: `${helm}/${helmFile}.sha256sum`,
      algorithm: 'sha256',
      member: `linux-${architecture.helm}/helm`,
    },
  };
  return {
    k3s: k3s(files.binary),
    'airgap-images': k3s(files.airgapImages),
    ...Object.fromEntries(
      Object.entries(others).map(([name, release]) => [
        name,
        { ...release, pinned: pins[pathOf(release.url, site)] },
      ]),
    ),
  };
}

/** Pins are by path, whichever site has the file. */
function pathOf(url: string, site: string | undefined): string {
  return [site, GITHUB, GVISOR, HELM].reduce<string>(
    (path, base) => (base && path.startsWith(base) ? path.slice(base.length) : path),
    url,
  );
}

function newestRunsc(paths: readonly string[]): string | undefined {
  const dates = paths.flatMap((path) => /^\/(\d{8}\.\d+)\/.+\/runsc$/.exec(path)?.[1] ?? []);
  return dates.sort().at(-1);
}

async function defaultTag(): Promise<string> {
  const action = parse(await readFile(join(dirname(testbedDir), '../action.yml'), 'utf8')) as {
    inputs: { version: { default: string } };
  };
  return action.inputs.version.default;
}

/** The version of a module that a tool's go.mod requires. */
async function moduleVersion(tool: string, module: string): Promise<string> {
  const goMod = await readFile(join(testbedDir, 'tools', tool, 'go.mod'), 'utf8');
  const version = goMod.split('\n').flatMap((line) => {
    const [path, version] = line.replace('require', '').trim().split(' ');
    return path === module && version !== undefined ? [version] : [];
  })[0];
  if (version === undefined) throw new Error(`Failed to find ${module} in ${tool}'s go.mod`);
  return version;
}
