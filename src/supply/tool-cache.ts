import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../errors.ts';
import { exists } from '../files.ts';
import { removeStale } from './stale.ts';
import { sha256Of } from './verify.ts';

/** A file of a release. */
export interface Asset {
  readonly tag: string;
  readonly name: string;
  /** Where it comes from: the same tag of another mirror is another file until its hash says otherwise. */
  readonly origin: string;
}

export interface CachedFile {
  readonly path: string;
  readonly sha256: string;
}

const PARTIAL = '.partial-';
const ORIGIN = '.origin';

/**
 * Verified files that outlive the run: `<root>/<tag>/<SHA-256>/<name>`. By the full tag, because
 * v1.34.1+k3s1 and +k3s2 are two releases (@actions/tool-cache takes them for one); by the hash, so
 * that nothing is found there but what it says. Safe for several jobs at once: files appear by rename.
 */
export class ToolCache {
  readonly #root: string;
  readonly #warning: (message: string) => void;

  constructor(root: string, warning: (message: string) => void) {
    this.#root = root;
    this.#warning = warning;
  }

  /** The directory of everything that belongs to the file of this hash. */
  directory(tag: string, sha256: string): string {
    return join(this.#root, tag, sha256);
  }

  /**
   * The asset, hashed anew; one that is not what its directory says is dropped.
   * @param expected undefined for what was verified when it came from the asset's own origin
   */
  async find(asset: Asset, expected: string | undefined): Promise<CachedFile | undefined> {
    const { tag, name, origin } = asset;
    const hashes = expected === undefined ? await list(join(this.#root, tag)) : [expected];
    for (const sha256 of hashes) {
      const directory = this.directory(tag, sha256);
      const path = join(directory, name);
      if (!(await exists(path))) {
        continue;
      }
      if (expected === undefined && (await readText(path + ORIGIN)) !== origin) {
        continue;
      }
      const found = await sha256Of(path);
      if (found === sha256) {
        return { path, sha256 };
      }
      this.#warning(`Dropping ${path} of the tool cache: its SHA-256 is ${found}`);
      await this.drop(directory);
    }
    return undefined;
  }

  /** Names of the root's directories, tags among them, in which the file `name` of `origin` is, verified or not. */
  async tags(name: string, origin: string): Promise<string[]> {
    const tags = await list(this.#root);
    const have = await Promise.all(
      tags.map(async (tag) => {
        const hashes = await list(join(this.#root, tag));
        const origins = await Promise.all(
          hashes.map((sha256) => readText(join(this.directory(tag, sha256), name + ORIGIN))),
        );
        return origins.includes(origin);
      }),
    );
    return tags.filter((_, index) => have[index]);
  }

  /**
   * Calls `work` with a new directory for a file that is not verified yet, and removes it after.
   * @throws whatever `work` throws, and the reason if the cache cannot be written
   */
  async stage<T>(work: (directory: string) => Promise<T>): Promise<T> {
    await mkdir(this.#root, { recursive: true });
    await removeStale(this.#root, PARTIAL);
    const directory = await mkdtemp(join(this.#root, PARTIAL));
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Whether something could be put into it. */
  async isWritable(): Promise<boolean> {
    return mkdir(this.#root, { recursive: true })
      .then(() => access(this.#root, constants.W_OK))
      .then(
        () => true,
        () => false,
      );
  }

  /** Takes over a file whose hash was found to be `sha256`. */
  async keep(file: string, asset: Asset, sha256: string): Promise<CachedFile> {
    const directory = this.directory(asset.tag, sha256);
    const path = join(directory, asset.name);
    await mkdir(directory, { recursive: true });
    if (file !== path) {
      await rename(file, path);
    }
    await writeFile(path + ORIGIN, asset.origin);
    return { path, sha256 };
  }

  /** Another job may still run from it: its open files stay, only their names go. */
  async drop(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true }).catch((error: unknown) => {
      this.#warning(`Failed to remove ${directory} from the tool cache: ${errorMessage(error)}`);
    });
  }
}

/** The names in a directory, none if it is not there. */
async function list(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
