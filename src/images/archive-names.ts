import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { PassThrough } from 'node:stream';
import { errorMessage } from '../errors.ts';

/** Of a tar: a header, then the content up to the next whole block. */
const BLOCK = 512;

/** The files that say what an archive's images are called: docker's, and OCI's, which have precedence. */
const MANIFESTS = ['manifest.json', 'index.json'];

/** How a compressed file begins. Names tell less: docker and buildah write what they are asked for. */
const COMPRESSED = [
  [Buffer.from([0x1f, 0x8b]), createGunzip],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), createZstdDecompress],
] as const;

/**
 * The full names of all images of an archive, as containerd will call them; of an OCI archive also bare
 * tags, which containerd puts a name of its own before.
 */
export async function archiveNames(path: string): Promise<string[]> {
  try {
    const manifests = await readManifests(path);
    return [...new Set([...manifests].flatMap(([name, text]) => namesIn(name, text)))];
  } catch (error) {
    throw new Error(`Failed to read the names of ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function namesIn(file: string, text: string): string[] {
  const value: unknown = JSON.parse(text);
  return file === 'manifest.json' ? dockerNames(value) : ociNames(value);
}

interface DockerImage {
  readonly RepoTags?: readonly string[] | null;
}

function dockerNames(value: unknown): string[] {
  return (value as readonly DockerImage[]).flatMap(({ RepoTags }) => RepoTags ?? []).map(fullName);
}

interface OciIndex {
  readonly manifests?: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

/** https://github.com/containerd/containerd/blob/main/core/images/archive/importer.go */
function ociNames(value: unknown): string[] {
  return ((value as OciIndex).manifests ?? []).flatMap(({ annotations = {} }) => {
    const name =
      annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
    return name === undefined ? [] : [name];
  });
}

/** Of docker's short form: https://github.com/distribution/reference/blob/main/normalize.go */
export function fullName(name: string): string {
  const [first = '', ...rest] = name.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const path = hasRegistry ? name : `docker.io/${rest.length === 0 ? 'library/' : ''}${name}`;
  return /:[^/]*$/.test(path) ? path : `${path}:latest`;
}

async function readManifests(path: string): Promise<Map<string, string>> {
  const reader = new TarReader(MANIFESTS);
  const decompress = await decompressorOf(path);
  await pipeline(createReadStream(path), decompress(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) reader.take(chunk);
  });
  return reader.files;
}

async function decompressorOf(path: string) {
  await using file = await open(path);
  const begin = Buffer.alloc(4);
  await file.read(begin, 0, begin.length, 0);
  const found = COMPRESSED.find(([magic]) => begin.subarray(0, magic.length).equals(magic));
  return found?.[1] ?? (() => new PassThrough());
}

/** Takes a tar in pieces and keeps the wanted files of its top directory. */
class TarReader {
  readonly files = new Map<string, string>();
  readonly #wanted: readonly string[];
  #header = Buffer.alloc(0);
  #name = '';
  #size = 0;
  /** Bytes until the next header. */
  #left = 0;
  #kept: Buffer[] = [];

  constructor(wanted: readonly string[]) {
    this.#wanted = wanted;
  }

  take(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0;) {
      rest = this.#left > 0 ? this.#content(rest) : this.#begin(rest);
    }
  }

  #begin(chunk: Buffer): Buffer {
    const missing = BLOCK - this.#header.length;
    this.#header = Buffer.concat([this.#header, chunk.subarray(0, missing)]);
    if (this.#header.length === BLOCK) {
      const header = this.#header;
      this.#header = Buffer.alloc(0);
      // Two empty blocks are the end.
      if (header[0] !== 0) this.#open(header);
    }
    return chunk.subarray(missing);
  }

  #open(header: Buffer): void {
    if (header.toString('latin1', 257, 262) !== 'ustar') {
      throw new Error('it is no tar');
    }
    this.#name = text(header, 0, 100).replace(/^\.\//, '');
    this.#size = sizeIn(header);
    this.#left = Math.ceil(this.#size / BLOCK) * BLOCK;
    this.#kept = [];
  }

  #content(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.#left);
    this.#left -= part.length;
    if (this.#wanted.includes(this.#name)) {
      this.#kept.push(part);
      if (this.#left === 0) {
        this.files.set(this.#name, Buffer.concat(this.#kept).toString('utf8', 0, this.#size));
      }
    }
    return chunk.subarray(part.length);
  }
}

function text(header: Buffer, begin: number, length: number): string {
  const field = header.subarray(begin, begin + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

/** Octal digits, or for what these cannot hold, a number of bytes whose first bit is set. */
function sizeIn(header: Buffer): number {
  return ((header[124] ?? 0) & 0x80) === 0
    ? parseInt(text(header, 124, 12).trim() || '0', 8)
    : Number(header.readBigUInt64BE(128));
}
