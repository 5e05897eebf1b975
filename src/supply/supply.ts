import { join } from 'node:path';
import { unlessAborted } from '../abort.ts';
import { errorMessage } from '../errors.ts';
import { download } from './download.ts';
import type { Asset, CachedFile, ToolCache } from './tool-cache.ts';
import { describeMismatch, sha256Of } from './verify.ts';

/** The cache service behind `@actions/cache`; nothing that comes from it is believed. */
export interface RemoteCache {
  /** Puts what was saved under `key` at `path`. @returns whether there was anything */
  restore(path: string, key: string): Promise<boolean>;
  /** Has the file at `path` saved under `key` when the job ends. */
  saveLater(path: string, key: string): void;
}

/** Who is told what happens on the way. */
export interface Narrator {
  readonly info: (message: string) => void;
  readonly notice: (message: string) => void;
  readonly warning: (message: string) => void;
}

/** Where files are kept, and who is told. */
export interface Workshop {
  /** Outlives the run. */
  readonly cache: ToolCache;
  /** The run's own, for when `cache` is read-only or full. */
  readonly fallback: ToolCache;
  readonly narrator: Narrator;
}

export interface Sources extends Workshop {
  readonly remote: RemoteCache | undefined;
  readonly signal: AbortSignal;
}

export interface WantedFile extends Asset {
  readonly url: string;
  /** The SHA-256 it must have, where that is known without asking anybody. */
  readonly known: string | undefined;
  /** The SHA-256 it must have. @throws if that cannot be found out: nothing unverified is ever used */
  expected(): Promise<string>;
}

export interface SuppliedFile extends CachedFile {
  /** Whether a cache had it. */
  readonly cacheHit: boolean;
}

/** A verified copy of `wanted`: from the tool cache, else from the cache service, else from its address. */
export async function supply(wanted: WantedFile, sources: Sources): Promise<SuppliedFile> {
  const { cache, remote, narrator } = sources;
  const found = await cache.find(wanted, wanted.known);
  if (found !== undefined) {
    narrator.info(`${wanted.name} ${wanted.tag} is in the tool cache: ${found.path}`);
    return { ...found, cacheHit: true };
  }
  const expected = await wanted.expected();
  const key = cacheKey(wanted, expected);
  const restored = await restore(wanted, expected, key, sources);
  if (restored === 'corrupt') {
    return { ...(await fetch(wanted, expected, sources)), cacheHit: false };
  }
  if (restored !== undefined) {
    return { ...restored, cacheHit: true };
  }
  const fetched = await fetch(wanted, expected, sources);
  // What is in the run's own directory goes with the run, before anything is saved.
  if (fetched.path.startsWith(cache.directory(wanted.tag, expected))) {
    remote?.saveLater(fetched.path, key);
  }
  return { ...fetched, cacheHit: false };
}

/** The library adds the compression and the path of the file, neither of which is shared. */
export function cacheKey(asset: Asset, sha256: string): string {
  return ['k3s-in-gvisor', process.platform, process.arch, asset.tag, asset.name, sha256].join('-');
}

async function restore(
  wanted: WantedFile,
  expected: string,
  key: string,
  { cache, remote, narrator, signal }: Sources,
): Promise<CachedFile | 'corrupt' | undefined> {
  const directory = cache.directory(wanted.tag, expected);
  const path = join(directory, wanted.name);
  // The service knows an entry by its path as well, so it cannot go where there is room for it.
  if (remote === undefined || !(await cache.isWritable())) {
    return undefined;
  }
  if (!(await unlessAborted(remote.restore(path, key), signal))) {
    return undefined;
  }
  const sha256 = await sha256Of(path);
  if (sha256 !== expected) {
    narrator.warning(
      `Dropping what the cache service has under ${key}: its SHA-256 is ${sha256}; delete that entry ("gh cache delete"), it cannot be replaced`,
    );
    await cache.drop(directory);
    return 'corrupt';
  }
  narrator.info(`${wanted.name} ${wanted.tag} came from the cache service: ${key}`);
  return cache.keep(path, wanted, expected);
}

async function fetch(wanted: WantedFile, expected: string, sources: Sources): Promise<CachedFile> {
  return withWritable(sources, async (cache) =>
    cache.stage(async (directory) => {
      const file = join(directory, wanted.name);
      sources.narrator.info(`Downloading ${wanted.url}`);
      const { sha256, head } = await download(wanted.url, file, {
        signal: sources.signal,
        onRetry: sources.narrator.info,
        onProgress: (received, total) => {
          sources.narrator.info(`${wanted.name} ${wanted.tag}: ${progress(received, total)}`);
        },
      });
      if (sha256 !== expected) {
        throw new Error(describeMismatch(wanted.url, sha256, expected, head));
      }
      return cache.keep(file, wanted, sha256);
    }),
  );
}

/** "12.3 of 69.8 MB", or what came so far where the server does not tell how much there is. */
function progress(received: number, total: number | undefined): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return `${megabytes(received)}${total === undefined ? '' : ` of ${megabytes(total)}`} MB`;
}

/** What a cache that is read-only or full answers; the run goes on without it. */
const UNWRITABLE = new Set([
  ...['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST'],
  // Node's recursive mkdir on a read-only file system: it gives the error of a stat after it.
  'ENOENT',
]);

/** Does `work` with the cache, or with the run's own directory if the cache cannot be written. */
export async function withWritable<T>(
  { cache, fallback, narrator }: Workshop,
  work: (cache: ToolCache) => Promise<T>,
): Promise<T> {
  try {
    return await work(cache);
  } catch (error) {
    if (!UNWRITABLE.has(codeOf(error))) {
      throw error;
    }
    narrator.warning(
      `The tool cache cannot be written, this run does without: ${errorMessage(error)}`,
    );
    return work(fallback);
  }
}

/** The code of the error, or of what caused it. */
function codeOf(error: unknown): string {
  const { code, cause } = error as NodeJS.ErrnoException;
  return code ?? (cause === undefined ? '' : codeOf(cause));
}
