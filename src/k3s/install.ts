import { access, chmod, constants, copyFile, mkdir, rename } from 'node:fs/promises';
import { arch } from 'node:os';
import { join, resolve } from 'node:path';
import { errorMessage, InputError } from '../errors.ts';
import { parseChannels, resolveTag } from './channels.ts';
import { httpGetText } from '../supply/http.ts';
import { releaseFiles, releaseUrl } from './release.ts';
import { supply, withWritable, type Sources, type SuppliedFile } from '../supply/supply.ts';
import type { ToolCache } from '../supply/tool-cache.ts';
import { findUnpacked, unpack, type K3s } from './unpack.ts';
import { parseSums, sha256Of } from '../supply/verify.ts';
import { CHECKSUMS } from './checksums.ts';
import type { Source } from './source.ts';
import { isTag, type VersionRequest } from './version.ts';

/** A k3s binary that was verified, and what it unpacks. */
export interface InstalledK3s extends K3s {
  readonly version: string;
  readonly sha256: string;
  /** Whether a cache had the binary. */
  readonly cacheHit: boolean;
  /** The tar of the images the release needs, if it was asked for. */
  readonly airgapImages: string | undefined;
  /** A directory with `kubectl`, which is k3s's own, and nothing else: for the PATH of later steps. */
  readonly tools: string;
}

/** Which k3s is asked for, and where it is looked up. */
export interface K3sRequest {
  readonly source: Source;
  /** SHA-256 of the k3s binary, lower-case hex; undefined where the release's own is used. */
  readonly checksum: string | undefined;
  /** Where releases are, without a slash at its end. */
  readonly releases: string;
  readonly channelServer: string;
  /** Whether the release's own images are wanted as a tar. */
  readonly airgap: boolean;
}

/** In the place of a tag, for a binary that was named by its path or address. */
const GIVEN = 'given';

/**
 * Brings a verified k3s binary here and has it unpack itself, once per binary.
 * @throws InputError if what was named is not there or not what `checksum` says.
 */
export async function installK3s(request: K3sRequest, sources: Sources): Promise<InstalledK3s> {
  const { source } = request;
  if (source.kind === 'release') {
    const release = new Release(
      await resolveRelease(source.version, request, sources),
      request,
      sources,
    );
    const [k3s, airgapImages] = await Promise.all([
      release.binary().then((file) => prepare(file, release.tag, sources)),
      request.airgap ? release.airgapImages() : undefined,
    ]);
    if (k3s.version !== release.tag) {
      throw new Error(
        `Failed to verify k3s: ${release.tag} was asked for, the binary says it is ${k3s.version}`,
      );
    }
    return { ...k3s, airgapImages };
  }
  const file =
    source.kind === 'path'
      ? await givenFile(source.path, request.checksum)
      : await supply(
          {
            tag: GIVEN,
            name: 'k3s',
            origin: source.url,
            url: source.url,
            known: source.checksum,
            expected: () => Promise.resolve(source.checksum),
          },
          sources,
        );
  const k3s = await prepare(file, GIVEN, sources);
  return {
    ...k3s,
    airgapImages: request.airgap
      ? await new Release(releaseOf(k3s.version), request, sources).airgapImages()
      : undefined,
  };
}

async function resolveRelease(
  version: VersionRequest,
  request: K3sRequest,
  { cache, narrator, signal }: Sources,
): Promise<string> {
  const tag = await resolveTag(version, {
    channels: async () =>
      parseChannels(await httpGetText(request.channelServer, { signal, onRetry: narrator.info })),
    cached: async () =>
      (await cache.tags(releaseFiles(arch()).binary, request.releases)).filter(isTag),
    warning: narrator.warning,
  });
  narrator.info(`k3s ${tag}`);
  return tag;
}

/** The files of one release, verified by pinned hashes where there are, else by its own sum file. */
class Release {
  readonly tag: string;
  readonly #request: K3sRequest;
  readonly #sources: Sources;
  readonly #files = releaseFiles(arch());
  #sums: Promise<Readonly<Record<string, string>>> | undefined;

  constructor(tag: string, request: K3sRequest, sources: Sources) {
    this.tag = tag;
    this.#request = request;
    this.#sources = sources;
  }

  async binary(): Promise<SuppliedFile> {
    return this.#supply(this.#files.binary, this.#request.checksum);
  }

  async airgapImages(): Promise<string> {
    return (await this.#supply(this.#files.airgapImages, undefined)).path;
  }

  #supply(name: string, checksum: string | undefined): Promise<SuppliedFile> {
    const known = checksum ?? CHECKSUMS[this.tag]?.[name];
    const origin = this.#request.releases;
    return supply(
      {
        tag: this.tag,
        name,
        origin,
        url: releaseUrl(origin, this.tag, name),
        known,
        expected: async () => known ?? (await this.#published(name)),
      },
      this.#sources,
    );
  }

  async #published(name: string): Promise<string> {
    this.#sums ??= this.#fetchSums();
    const sha256 = (await this.#sums)[name];
    if (sha256 === undefined) {
      throw new Error(
        `Failed to verify ${name} ${this.tag}: ${this.#sumsUrl()} has no SHA-256 of it`,
      );
    }
    this.#sources.narrator.info(
      `${name} ${this.tag} is verified by the release's own sum file, which detects corruption, not malice: both come from the same place. The input checksum settles it for the binary.`,
    );
    return sha256;
  }

  async #fetchSums(): Promise<Readonly<Record<string, string>>> {
    const { narrator, signal } = this.#sources;
    const text = await httpGetText(this.#sumsUrl(), { signal, onRetry: narrator.info });
    return parseSums(text);
  }

  #sumsUrl(): string {
    return releaseUrl(this.#request.releases, this.tag, this.#files.sums);
  }
}

function releaseOf(version: string): string {
  if (!isTag(version)) {
    throw new InputError(
      `airgap: the binary says it is ${version}, which is no release; give its images as tars with the input images`,
    );
  }
  return version;
}

async function givenFile(given: string, checksum: string | undefined): Promise<SuppliedFile> {
  const path = resolve(given);
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw new InputError(`k3s-path: cannot read "${given}": ${errorMessage(error)}`);
  });
  const sha256 = await sha256Of(path);
  if (checksum !== undefined && checksum !== sha256) {
    throw new InputError(`checksum: "${given}" has the SHA-256 ${sha256}, not ${checksum}`);
  }
  return { path, sha256, cacheHit: false };
}

/** What it unpacked before, or unpacks now. */
async function prepare(
  { path, sha256, cacheHit }: SuppliedFile,
  tag: string,
  sources: Sources,
): Promise<Omit<InstalledK3s, 'airgapImages'>> {
  const home = (cache: ToolCache): string => cache.directory(tag, sha256);
  const binary = (await isExecutable(path))
    ? path
    : await withWritable(sources, (cache) => executableCopy(path, home(cache)));
  const unpacked =
    (await findUnpacked(home(sources.cache))) ??
    (await withWritable(sources, (cache) => unpack(binary, home(cache))));
  return { binary, sha256, cacheHit, ...unpacked };
}

/** For a binary on a file system without the execute bit, or never given it. */
async function executableCopy(path: string, home: string): Promise<string> {
  const copy = join(home, 'k3s');
  await mkdir(home, { recursive: true });
  await copyFile(path, `${copy}.partial`, constants.COPYFILE_FICLONE);
  await chmod(`${copy}.partial`, 0o755);
  await rename(`${copy}.partial`, copy);
  return copy;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
