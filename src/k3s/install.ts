import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  access,
  chmod,
  constants,
  copyFile,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { arch } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { downloadTool } from '@actions/tool-cache';
import { stringify } from 'yaml';
import { errorMessage, InputError } from '../errors.ts';
import { run } from '../exec.ts';
import type { Inputs } from '../inputs.ts';
import type { K3s } from '../workarounds/workaround.ts';

const RELEASES = 'https://github.com/k3s-io/k3s/releases/download';

/** Node's name of the architecture to that of k3s's release files. */
const RELEASE_SUFFIX: Readonly<Record<string, { binary: string; sums: string }>> = {
  x64: { binary: 'k3s', sums: 'sha256sum-amd64.txt' },
  arm64: { binary: 'k3s-arm64', sums: 'sha256sum-arm64.txt' },
};

/** A k3s binary that was verified, and what it unpacks. */
export interface InstalledK3s extends K3s {
  readonly version: string;
  readonly sha256: string;
  /** A directory with `kubectl`, which is k3s's own, and nothing else: for the PATH of later steps. */
  readonly tools: string;
}

/**
 * Brings a verified k3s binary into `cache` and has it unpack itself there, once per binary.
 * @param cache a directory that outlives the run, such as the runner's tool cache
 * @throws InputError if the binary that was named is not there or not what `checksum` says.
 */
export async function installK3s(inputs: Inputs, cache: string): Promise<InstalledK3s> {
  const { path, sha256 } = await fetchVerified(inputs, cache);
  const home = join(cache, 'k3s-in-gvisor', sha256);
  const binary = join(home, 'k3s');
  const dataDir = join(home, 'unpacked');
  await mkdir(home, { recursive: true });
  if (!(await exists(binary)) || (await sha256Of(binary)) !== sha256) {
    await copyFile(path, `${binary}.partial`, constants.COPYFILE_FICLONE);
    await chmod(`${binary}.partial`, 0o755);
    await rename(`${binary}.partial`, binary);
  }
  if (inputs.source.kind !== 'path' && path !== binary) {
    await rm(path, { force: true });
  }
  const [version, { containerdDropIns, tools }] = await Promise.all([
    versionOf(binary),
    unpack(binary, home, dataDir).then(async (directory) => ({
      containerdDropIns: await importsDropIns(directory, home),
      tools: await linkTools(directory, home),
    })),
  ]);
  return { binary, dataDir, containerdDropIns, version, sha256, tools };
}

async function fetchVerified(
  { source, checksum }: Inputs,
  cache: string,
): Promise<{ path: string; sha256: string }> {
  if (source.kind === 'path') {
    const path = resolve(source.path);
    await access(path, constants.R_OK).catch((error: unknown) => {
      throw new InputError(`k3s-path: cannot read "${source.path}": ${errorMessage(error)}`);
    });
    const sha256 = await sha256Of(path);
    if (checksum !== undefined && checksum !== sha256) {
      throw new InputError(`checksum: "${source.path}" has the SHA-256 ${sha256}, not ${checksum}`);
    }
    return { path, sha256 };
  }
  const url =
    source.kind === 'url'
      ? source.url
      : `${RELEASES}/${encodeURIComponent(source.tag)}/${suffix().binary}`;
  const expected = checksum ?? (await releaseChecksum(source));
  const cached = join(cache, 'k3s-in-gvisor', expected, 'k3s');
  if ((await exists(cached)) && (await sha256Of(cached)) === expected) {
    return { path: cached, sha256: expected };
  }
  const path = await downloadTool(url);
  const sha256 = await sha256Of(path);
  if (sha256 !== expected) {
    await rm(path, { force: true });
    throw new Error(`Failed to verify ${url}: its SHA-256 is ${sha256}, expected ${expected}`);
  }
  return { path, sha256 };
}

/**
 * The hash in the release's own sum file: it detects corruption, not malice, since it comes from
 * where the binary comes from.
 */
async function releaseChecksum(source: Inputs['source']): Promise<string> {
  if (source.kind !== 'release') {
    throw new Error('Failed to verify k3s: no checksum was given');
  }
  const { binary, sums } = suffix();
  const url = `${RELEASES}/${encodeURIComponent(source.tag)}/${sums}`;
  const path = await downloadTool(url);
  const text = await readFile(path, 'utf8');
  await rm(path, { force: true });
  const sha256 = text
    .split('\n')
    .map((line) => line.split(/\s+/))
    .find(([, name]) => name === binary)?.[0];
  if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new Error(`Failed to verify k3s ${source.tag}: ${url} has no SHA-256 for ${binary}`);
  }
  return sha256;
}

function suffix(): { binary: string; sums: string } {
  const found = RELEASE_SUFFIX[arch()];
  if (found === undefined) {
    throw new Error(
      `Failed to find a k3s for ${arch()}: releases are used for ${Object.keys(RELEASE_SUFFIX).join(', ')}`,
    );
  }
  return found;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** The first line of `k3s --version` is "k3s version v1.34.1+k3s1 (24fc436e)". */
async function versionOf(binary: string): Promise<string> {
  const output = await run([binary, '--version']);
  const version = /^k3s version (v\S+)/.exec(output)?.[1];
  if (version === undefined) {
    throw new InputError(
      `k3s: "${binary}" is not a k3s binary: its --version prints "${output.slice(0, 200)}"`,
    );
  }
  return version;
}

/**
 * Has k3s unpack itself: it does so before any command, into the data directory its configuration
 * file names (cmd/k3s/main.go, findDataDir and extract), unless that was done before.
 * @returns the directory with `bin/`
 */
async function unpack(binary: string, home: string, dataDir: string): Promise<string> {
  const config = join(home, 'unpack.yaml');
  await writeFile(config, stringify({ 'data-dir': dataDir }));
  await run([binary, 'ctr', '--version'], { env: { K3S_CONFIG_FILE: config } });
  return join(dataDir, 'data', 'current');
}

async function linkTools(directory: string, home: string): Promise<string> {
  const tools = join(home, 'bin');
  const link = join(tools, 'kubectl');
  await mkdir(tools, { recursive: true });
  if (!(await exists(link))) {
    await rm(link, { force: true });
    await symlink(join(directory, 'bin', 'kubectl'), link);
  }
  return tools;
}

/** Asks the binary itself: the template is text in it, and knows the directory only if it imports from it. */
async function importsDropIns(directory: string, home: string): Promise<boolean> {
  const answer = join(home, 'containerd-drop-ins');
  if (!(await exists(answer))) {
    const found = await contains(join(directory, 'bin', 'k3s'), 'config-v3.toml.d');
    await writeFile(answer, String(found));
  }
  return (await readFile(answer, 'utf8')) === 'true';
}

async function contains(path: string, text: string): Promise<boolean> {
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, {
    highWaterMark: 1 << 20,
  }) as AsyncIterable<Buffer>) {
    const window = Buffer.concat([tail, chunk]);
    if (window.includes(text)) {
      return true;
    }
    tail = window.subarray(-text.length);
  }
  return false;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
