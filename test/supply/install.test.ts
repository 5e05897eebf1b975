import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { parseInputs } from '../../src/inputs/inputs.ts';
import { installK3s, type InstalledK3s } from '../../src/k3s/install.ts';
import { unpack } from '../../src/k3s/unpack.ts';
import type { RemoteCache, Sources } from '../../src/supply/supply.ts';
import { ToolCache } from '../../src/supply/tool-cache.ts';
import { k3sScript, publish, publishChannels, sha256, type Release } from './release.ts';
import { broken, file, html, startServer, status, text, type WebServer } from './server.ts';

const TAG = 'v1.34.1+k3s1';
const DAY_MS = 24 * 3_600_000;

let directory: string;
let cache: string;
let server: WebServer;
let release: Release;
/** What a job shows as an annotation, and what is in its log alone. */
let said: string[];
let logged: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'supply-'));
  cache = join(directory, 'tool-cache');
  server = await startServer();
  release = publish(server, TAG);
  said = [];
  logged = [];
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

interface Run {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly remote?: RemoteCache;
  readonly cache?: string;
}

/** As a step of its own would: nothing is kept from one call to the next but files. */
async function install(run: Run = {}): Promise<InstalledK3s> {
  const given: Readonly<Record<string, string>> = {
    version: TAG,
    mode: 'auto',
    sysctls: 'auto',
    timeout: '5m',
    'release-mirror': `${server.url}/download`,
    'channel-server': `${server.url}/channels`,
    ...run.inputs,
  };
  const warning = (message: string): void => {
    said.push(`warning: ${message}`);
  };
  const sources: Sources = {
    cache: new ToolCache(run.cache ?? cache, warning),
    fallback: new ToolCache(join(directory, 'own'), warning),
    remote: run.remote,
    narrator: {
      info: (message) => logged.push(message),
      notice: (message) => said.push(`notice: ${message}`),
      warning,
    },
    signal: AbortSignal.timeout(30_000),
  };
  return installK3s(
    parseInputs((name) => given[name] ?? ''),
    sources,
  );
}

/** The requests since the last call. */
let seen = 0;
beforeEach(() => {
  seen = 0;
});
function asked(): string[] {
  const requests = server.requests.slice(seen);
  seen = server.requests.length;
  return requests;
}
const downloads = (): string[] => asked().filter((line) => line.includes(release.paths.binary));

const read = ({ binary }: InstalledK3s): Buffer => readFileSync(binary);

describe('a release', () => {
  it('is downloaded once, verified by its sum file, and unpacked', async () => {
    const k3s = await install();
    expect(k3s).toMatchObject({
      version: TAG,
      cacheHit: false,
      containerdDropIns: true,
      sha256: sha256(release.binary),
      airgapImages: undefined,
    });
    expect(execFileSync(k3s.binary, ['--version']).toString()).toContain(TAG);
    expect(existsSync(join(k3s.dataDir, 'data/current/bin/k3s'))).toBe(true);
    expect(existsSync(join(k3s.tools, 'kubectl'))).toBe(true);
    expect(asked()).toEqual([`GET ${release.paths.sums}`, `GET ${release.paths.binary}`]);
    expect(logged.join('\n')).toContain('detects corruption, not malice');
    // Each job of a runner that comes and goes would have it.
    expect(said).toEqual([]);
  });

  it('needs no network the second time', async () => {
    const first = await install();
    asked();
    said.length = 0;
    expect(await install()).toEqual({ ...first, cacheHit: true });
    expect(asked()).toEqual([]);
    expect(said).toEqual([]);
  });

  it('is kept under its full tag: +k3s1 and +k3s2 are two', async () => {
    const other = publish(server, 'v1.34.1+k3s2');
    const first = await install();
    const second = await install({ inputs: { version: other.tag } });
    expect([first.version, second.version]).toEqual([TAG, other.tag]);
    expect((await install()).binary).toBe(first.binary);
  });

  it('is the one of its mirror: another origin is asked anew', async () => {
    await install();
    const changed = k3sScript(TAG, 100);
    await using mirror = await startServer();
    publish(mirror, TAG, changed);
    const k3s = await install({ inputs: { 'release-mirror': `${mirror.url}/download/` } });
    expect(read(k3s).equals(changed)).toBe(true);
    expect(k3s.cacheHit).toBe(false);
  });

  it('is only taken if it is what its tag says', async () => {
    publish(server, TAG, k3sScript('v1.33.0+k3s1'));
    await expect(install()).rejects.toThrow(
      `Failed to verify k3s: ${TAG} was asked for, the binary says it is v1.33.0+k3s1`,
    );
  });
});

describe('verification fails closed', () => {
  const nothingKept = (): void => {
    const root = join(cache, TAG);
    const kept = existsSync(root) ? readdirSync(root) : [];
    expect(kept).toEqual([]);
    expect(readdirSync(cache).filter((name) => name.startsWith('.'))).toEqual([]);
  };

  it('for a binary that is not what its sum file says', async () => {
    server.answer(release.paths.binary, file(Buffer.from('something else')));
    await expect(install()).rejects.toThrow(
      /^Failed to verify http.*: its SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}; it begins with "something else"$/,
    );
    nothingKept();
  });

  it('for an HTML page', async () => {
    server.answer(release.paths.binary, html());
    await expect(install()).rejects.toThrow('HTML page');
    nothingKept();
  });

  it('for a file that is always cut short', async () => {
    server.answer(release.paths.binary, (request, response) => {
      // No length announced: only the hash can tell.
      response.end(release.binary.subarray(0, 1_000));
    });
    await expect(install()).rejects.toThrow('Failed to verify');
    nothingKept();
  });

  it.each([
    ['is missing', status(404), 'HTTP 404'],
    ['is an HTML page', html(), 'HTML page'],
    ['has no line for the binary', text(`${'a'.repeat(64)}  k3s-other\n`), 'has no SHA-256 of it'],
    ['is not made of hashes', text('hello k3s\n'), 'has no SHA-256 of it'],
  ])('for a release whose sum file %s', async (_, handler, message) => {
    server.answer(release.paths.sums, handler);
    await expect(install()).rejects.toThrow(message);
    expect(downloads()).toEqual([]);
    expect(existsSync(cache)).toBe(false);
  });

  it('for a checksum that the binary does not have, whatever the sum file says', async () => {
    await expect(install({ inputs: { checksum: 'a'.repeat(64) } })).rejects.toThrow(
      `expected ${'a'.repeat(64)}`,
    );
    expect(asked()).toEqual([`GET ${release.paths.binary}`]);
    nothingKept();
  });

  it('and a checksum that it has makes the sum file needless', async () => {
    const inputs = { checksum: sha256(release.binary) };
    expect((await install({ inputs })).version).toBe(TAG);
    expect(asked()).toEqual([`GET ${release.paths.binary}`]);
    expect(logged.join('\n')).not.toContain('detects corruption');
    expect((await install({ inputs })).cacheHit).toBe(true);
    await expect(install({ inputs: { checksum: 'b'.repeat(64) } })).rejects.toThrow('expected bbb');
  });
});

describe('the tool cache', () => {
  it('is verified at every hit: a corrupt binary is dropped and fetched again', async () => {
    const { binary } = await install();
    appendFileSync(binary, 'x');
    asked();
    said.length = 0;
    const again = await install();
    expect(again.cacheHit).toBe(false);
    expect(read(again).equals(release.binary)).toBe(true);
    expect(downloads()).toHaveLength(1);
    expect(said[0]).toMatch(/^warning: Dropping .*k3s.* of the tool cache: its SHA-256 is/);
  });

  it('has what was unpacked checked, too', async () => {
    const { dataDir } = await install();
    let bin = join(dataDir, 'data/current/bin');
    for (const damage of [
      () => {
        writeFileSync(join(bin, 'k3s'), '');
      },
      () => {
        rmSync(join(bin, 'k3s'));
      },
      () => {
        utimesSync(join(bin, 'k3s'), 1, 1);
      },
      () => {
        writeFileSync(join(bin, 'more'), '');
      },
    ]) {
      damage();
      const again = await install();
      expect(again.cacheHit).toBe(true);
      expect(join(again.dataDir, 'data/current/bin')).not.toBe(bin);
      bin = join(again.dataDir, 'data/current/bin');
      expect(readdirSync(bin)).toEqual(['k3s', 'kubectl']);
      expect(readFileSync(join(bin, 'k3s'), 'utf8')).toBe('config-v3.toml.d\n');
    }
  });

  it('survives a job that was killed while unpacking', async () => {
    const { binary } = await install();
    rmSync(join(dirname(binary), 'unpacked.json'));
    expect((await install()).cacheHit).toBe(true);
    writeFileSync(join(dirname(binary), 'unpacked.json'), '{"vers');
    expect((await install()).cacheHit).toBe(true);
  });

  it('serves several jobs at once', async () => {
    const all = await Promise.all([install(), install(), install()]);
    expect(new Set(all.map(({ binary }) => binary)).size).toBe(1);
    expect(read(all[0]).equals(release.binary)).toBe(true);
    expect(readdirSync(cache)).toEqual([TAG]);
  });

  it('forgets transfers of jobs that were killed, and leaves those of others alone', async () => {
    for (const [name, age] of [
      ['.partial-old', 2 * DAY_MS],
      ['.partial-new', 0],
    ] as const) {
      mkdirSync(join(cache, name), { recursive: true });
      utimesSync(join(cache, name), new Date(), new Date(Date.now() - age));
    }
    await install();
    expect(readdirSync(cache).sort()).toEqual(['.partial-new', TAG]);
  });

  it('that cannot be written is a warning', async () => {
    // A file where the directory should be: what root may do anywhere else, it cannot do there.
    writeFileSync(cache, '');
    const k3s = await install();
    expect(k3s.version).toBe(TAG);
    expect(k3s.binary.startsWith(join(directory, 'own'))).toBe(true);
    expect(said).toContainEqual(
      expect.stringMatching(/^warning: The tool cache cannot be written, this run does without/),
    );
  });

  it('that cannot be written has nothing restored to it and nothing saved from what goes with the run', async () => {
    writeFileSync(cache, '');
    const calls: string[] = [];
    await install({
      remote: {
        restore: (path) => {
          calls.push(`restore ${path}`);
          return Promise.resolve(false);
        },
        saveLater: (path) => calls.push(`save ${path}`),
      },
    });
    expect(calls).toEqual([]);
  });

  describe.skipIf(process.getuid?.() !== 0)('on a file system', () => {
    const mounted: string[] = [];
    const mount = (options: string): string => {
      const path = mkdtempSync(join(directory, 'mount-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'supply', path]);
      mounted.push(path);
      return path;
    };
    afterEach(() => {
      mounted.splice(0).forEach((path) => execFileSync('umount', [path]));
    });

    it('that is full is a warning', async () => {
      const k3s = await install({ cache: join(mount('size=64k'), 'cache') });
      expect(read(k3s).equals(release.binary)).toBe(true);
      expect(said.join()).toContain('warning: The tool cache cannot be written');
    });

    it('that is read-only is read: the binary is there, what it unpacks goes elsewhere', async () => {
      const path = mount('size=8m');
      const { binary } = await install({ cache: path });
      rmSync(join(dirname(binary), 'unpacked.json'));
      execFileSync('mount', ['-o', 'remount,ro', path]);
      asked();
      const k3s = await install({ cache: path });
      expect(k3s).toMatchObject({ binary, cacheHit: true });
      expect(k3s.dataDir.startsWith(join(directory, 'own'))).toBe(true);
      expect(asked()).toEqual([]);
    });
  });
});

describe('the cache service', () => {
  /** What a runner has, on a directory: entries cannot be replaced, and keys are exact. */
  function service(): RemoteCache & { keys: string[]; corrupt(): void } {
    const entries = new Map<string, string>();
    const kept = mkdtempSync(join(directory, 'service-'));
    return {
      get keys() {
        return [...entries.keys()];
      },
      corrupt: () => {
        entries.forEach((path) => {
          appendFileSync(path, 'x');
        });
      },
      restore: (path, key) => {
        const entry = entries.get(key);
        if (entry !== undefined) {
          mkdirSync(dirname(path), { recursive: true });
          copyFileSync(entry, path);
        }
        return Promise.resolve(entry !== undefined);
      },
      saveLater: (path, key) => {
        if (!entries.has(key)) {
          const entry = join(kept, String(entries.size));
          copyFileSync(path, entry);
          entries.set(key, entry);
        }
      },
    };
  }
  const loseToolCache = (): void => {
    rmSync(cache, { recursive: true });
  };

  it('has what another machine fetched, and is verified', async () => {
    const remote = service();
    await install({ remote });
    expect(remote.keys).toEqual([
      `k3s-in-gvisor-linux-${process.arch}-${TAG}-k3s-${sha256(release.binary)}`,
    ]);
    loseToolCache();
    asked();
    const k3s = await install({ remote });
    expect(k3s.cacheHit).toBe(true);
    expect(read(k3s).equals(release.binary)).toBe(true);
    expect(downloads()).toEqual([]);
    // Now the tool cache has it, on the word of the release and not of the service.
    expect((await install({ remote })).cacheHit).toBe(true);
    expect(asked()).toEqual([]);
  });

  it('is not asked where the tool cache has it', async () => {
    await install();
    const remote: RemoteCache = {
      restore: () => Promise.reject(new Error('asked')),
      saveLater: () => {
        throw new Error('asked');
      },
    };
    expect((await install({ remote })).cacheHit).toBe(true);
  });

  it('is not believed: a corrupt entry is dropped and fetched again', async () => {
    const remote = service();
    await install({ remote });
    remote.corrupt();
    loseToolCache();
    asked();
    const k3s = await install({ remote });
    expect(k3s.cacheHit).toBe(false);
    expect(read(k3s).equals(release.binary)).toBe(true);
    expect(downloads()).toHaveLength(1);
    expect(said.join()).toMatch(
      /warning: Dropping what the cache service has under k3s-in-gvisor-/,
    );
  });
});

describe('a version that is not a tag', () => {
  beforeEach(() => {
    publishChannels(server, {
      stable: TAG,
      latest: 'v1.36.4+k3s1',
      testing: 'v1.37.0-rc1+k3s1',
      'v1.33': 'v1.33.5+k3s1',
      'v1.34': TAG,
      'v1.36': 'v1.36.4+k3s1',
    });
    for (const tag of ['v1.33.5+k3s1', 'v1.36.4+k3s1']) publish(server, tag);
  });

  it.each([
    ['stable', TAG],
    ['latest', 'v1.36.4+k3s1'],
    ['v1.33', 'v1.33.5+k3s1'],
    ['1.34', TAG],
    ['>=1.33 <1.35', TAG],
    ['~1.33.0', 'v1.33.5+k3s1'],
  ])('is looked up: %s', async (version, tag) => {
    expect((await install({ inputs: { version } })).version).toBe(tag);
    expect(asked()[0]).toBe('GET /channels');
  });

  it.each([
    ['v1.35', 'version: no release for channel v1.35; the channels have stable (v1.34.1+k3s1), '],
    ['1.34.0', 'version: no release for range 1.34.0; '],
    ['>2', 'version: no release for range >2; '],
  ])('that nothing answers is an error: %s', async (version, message) => {
    const failure = install({ inputs: { version } });
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(message);
  });

  it.each([
    ['is gone', status(410)],
    ['is a page', html()],
    ['speaks no JSON', text('hello')],
    ['has no list', text('{}')],
    ['is cut short', broken(Buffer.from('{"data":[]}'), 3, 'reset')],
  ])('is taken from the tool cache where the channel server %s', async (_, handler) => {
    await install();
    await install({ inputs: { version: 'v1.33.5+k3s1' } });
    server.answer('/channels', handler);
    asked();
    said.length = 0;
    const k3s = await install({ inputs: { version: 'stable' } });
    expect(k3s).toMatchObject({ version: TAG, cacheHit: true });
    expect((await install({ inputs: { version: 'v1.33' } })).version).toBe('v1.33.5+k3s1');
    expect(said[0]).toMatch(
      /^warning: Using k3s v1\.34\.1\+k3s1 of the tool cache for channel stable: /,
    );
    expect(asked().every((line) => line === 'GET /channels')).toBe(true);
  });

  it('fails without a network where the tool cache has nothing that matches', async () => {
    await install();
    server.answer('/channels', status(403));
    await expect(install({ inputs: { version: 'v1.35' } })).rejects.toThrow(
      /^Failed to find out which release channel v1\.35 is: .*HTTP 403 Forbidden; the tool cache has v1\.34\.1\+k3s1$/,
    );
  });
});

describe('airgap', () => {
  it("fetches the release's images, verified, and keeps them", async () => {
    const inputs = { airgap: 'true' };
    const { airgapImages } = await install({ inputs });
    expect(readFileSync(airgapImages ?? '').equals(release.airgapImages)).toBe(true);
    expect(airgapImages).toMatch(/\/k3s-airgap-images-(amd64|arm64)\.tar\.zst$/);
    asked();
    expect((await install({ inputs })).airgapImages).toBe(airgapImages);
    expect(asked()).toEqual([]);
  });

  it('fails closed, as the binary does', async () => {
    server.answer(release.paths.airgapImages, file(Buffer.from('else')));
    await expect(install({ inputs: { airgap: 'true' } })).rejects.toThrow('Failed to verify');
  });

  it('goes by the version of a binary that is given', async () => {
    const path = join(directory, 'given');
    writeFileSync(path, release.binary, { mode: 0o755 });
    const inputs = { 'k3s-path': path, airgap: 'true' };
    const { airgapImages } = await install({ inputs });
    expect(readFileSync(airgapImages ?? '').equals(release.airgapImages)).toBe(true);
    writeFileSync(path, k3sScript('v1.34.1-dirty'));
    await expect(install({ inputs })).rejects.toThrow(
      'airgap: the binary says it is v1.34.1-dirty',
    );
  });
});

describe('a binary that is given', () => {
  const given = (content: Buffer, mode = 0o755): string => {
    const path = join(directory, 'my-k3s');
    writeFileSync(path, content, { mode });
    return path;
  };

  it('is run where it is, and unpacked once', async () => {
    const path = given(release.binary);
    const first = await install({ inputs: { 'k3s-path': path } });
    expect(first).toMatchObject({ binary: path, version: TAG, cacheHit: false });
    expect(await install({ inputs: { 'k3s-path': path } })).toEqual(first);
    expect(asked()).toEqual([]);
  });

  it('is copied where it cannot be run', async () => {
    const { binary } = await install({ inputs: { 'k3s-path': given(release.binary, 0o644) } });
    expect(binary.startsWith(cache)).toBe(true);
    expect(readFileSync(binary).equals(release.binary)).toBe(true);
  });

  it('is verified when a checksum is given', async () => {
    const path = given(release.binary);
    const checksum = sha256(release.binary);
    expect((await install({ inputs: { 'k3s-path': path, checksum } })).sha256).toBe(checksum);
    const failure = install({ inputs: { 'k3s-path': path, checksum: 'a'.repeat(64) } });
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(`has the SHA-256 ${checksum}, not aaa`);
  });

  it('is a clear error where it is not there, or no k3s', async () => {
    await expect(install({ inputs: { 'k3s-path': '/nowhere' } })).rejects.toThrow(
      'k3s-path: cannot read "/nowhere": ENOENT',
    );
    const path = given(Buffer.from('#!/bin/sh\necho hello\n'));
    await expect(install({ inputs: { 'k3s-path': path } })).rejects.toThrow('is not a k3s binary');
  });

  it('comes from an address with its checksum', async () => {
    server.answer('/my/k3s', file(release.binary));
    const inputs = { 'k3s-url': `${server.url}/my/k3s`, checksum: sha256(release.binary) };
    expect(await install({ inputs })).toMatchObject({ version: TAG, cacheHit: false });
    expect((await install({ inputs })).cacheHit).toBe(true);
    expect(asked()).toEqual(['GET /my/k3s']);
    server.answer('/my/k3s', file(Buffer.from('else')));
    await expect(install({ inputs: { ...inputs, checksum: 'a'.repeat(64) } })).rejects.toThrow(
      'Failed to verify',
    );
  });
});

describe('a k3s that is installed on the runner', () => {
  /** As the real one: it looks in its own place first, and then puts nothing elsewhere. */
  const installed = (version: string): string => {
    const data = join(directory, 'installed');
    mkdirSync(join(data, '0123', 'bin'), { recursive: true });
    writeFileSync(
      join(data, '0123', 'bin', 'k3s'),
      `#!/bin/sh\necho "k3s version ${version} (x)"\n`,
      {
        mode: 0o755,
      },
    );
    writeFileSync(join(directory, 'k3s'), `#!/bin/sh\necho "k3s version ${TAG} (x)"\n`, {
      mode: 0o755,
    });
    return data;
  };

  it('is copied, since the binary unpacks nothing where it is unpacked already', async () => {
    const { dataDir } = await unpack(
      join(directory, 'k3s'),
      join(directory, 'home'),
      installed(TAG),
    );
    expect(existsSync(join(dataDir, 'data', 'current', 'bin', 'k3s'))).toBe(true);
  });

  it('is left alone if it is another one, with an error that says so', async () => {
    const data = installed('v1.0.0+k3s1');
    await expect(unpack(join(directory, 'k3s'), join(directory, 'home'), data)).rejects.toThrow(
      `Failed to unpack k3s ${TAG}: it put nothing into `,
    );
  });
});
