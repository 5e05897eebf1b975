import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { InputError } from '../errors.ts';
import { run } from '../exec.ts';
import { exists, readJson } from '../files.ts';
import { inventory, isSame, type Inventory } from '../supply/inventory.ts';
import { removeStale } from '../supply/stale.ts';
import { embeddedFile } from './embedded.ts';

/** What is known of the k3s binary that will run. */
export interface K3s {
  readonly binary: string;
  /** The data directory into which it has unpacked itself; only read. */
  readonly dataDir: string;
  /** Whether its containerd template imports config-v3.toml.d/*.toml. */
  readonly containerdDropIns: boolean;
  /** Its manifest of CoreDNS, with its placeholders; null where it cannot be read out of the binary. */
  readonly coredns: string | null;
}

/** What a k3s binary is, and what it unpacked itself into. */
export interface Unpacked extends Omit<K3s, 'binary'> {
  readonly version: string;
  /** A directory with `kubectl`, which is k3s's own, and nothing else: for the PATH of later steps. */
  readonly tools: string;
}

/** Written when all is done, and compared with what is there at the next start. */
interface About {
  readonly version: string;
  readonly containerdDropIns: boolean;
  readonly coredns: string | null;
  /** The directory, below the binary's own. */
  readonly directory: string;
  readonly files: Inventory;
}

const ABOUT = 'unpacked.json';
/** Where a k3s that was installed on the runner has unpacked itself. */
const INSTALLED = '/var/lib/rancher/k3s/data';
const PREFIX = 'unpacked-';

/**
 * What `binary` unpacked in `home` before, if all of it is there, with the sizes and times it had:
 * a full hash would take longer than unpacking.
 */
export async function findUnpacked(home: string): Promise<Unpacked | undefined> {
  const about = (await readJson(join(home, ABOUT))) as About | undefined;
  // Without `coredns` it was written before that was looked for.
  if (about?.coredns === undefined) {
    return undefined;
  }
  const directory = join(home, about.directory);
  return isSame(about.files, await inventory(directory))
    ? describeUnpacked(about, directory)
    : undefined;
}

/**
 * Has `binary` unpack itself into `home`. Jobs may do so at once: each into a directory of its own,
 * and the last one is found next time.
 * @throws InputError if it is not a k3s binary
 */
export async function unpack(
  binary: string,
  home: string,
  installed = INSTALLED,
): Promise<Unpacked> {
  await mkdir(home, { recursive: true });
  const version = await versionOf(binary);
  const directory = await mkdtemp(join(home, PREFIX));
  const { dataDir, tools } = pathsIn(directory);
  // k3s unpacks itself before any command, into the data directory that its configuration file
  // names (cmd/k3s/main.go, findDataDir and extract).
  const config = join(directory, 'config.yaml');
  await writeFile(config, stringify({ 'data-dir': dataDir }));
  try {
    await run([binary, 'ctr', '--version'], { env: { K3S_CONFIG_FILE: config } });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw withCode(error as Error);
  }
  const bin = join(dataDir, 'data', 'current', 'bin');
  if (!(await exists(bin))) {
    await copyInstalled(version, installed, join(dataDir, 'data'));
  }
  await mkdir(tools);
  await symlink(join(bin, 'kubectl'), join(tools, 'kubectl'));
  const program = await readFile(join(bin, 'k3s'));
  const about: About = {
    version,
    // The template is text in the binary, and knows the directory only if it imports from it.
    containerdDropIns: program.includes('config-v3.toml.d'),
    coredns: embeddedFile(program, 'coredns.yaml', 'kind: Deployment') ?? null,
    directory: basename(directory),
    files: await inventory(directory),
  };
  const partial = `${directory}.json`;
  await writeFile(partial, JSON.stringify(about, undefined, 2));
  await rename(partial, join(home, ABOUT));
  // The one replaced may still be in use by another job, so only age ends it.
  await removeStale(home, PREFIX);
  return describeUnpacked(about, directory);
}

/**
 * A k3s that finds itself unpacked in its own place uses that, whatever data directory it is given
 * (cmd/k3s/main.go, extract), so nothing is in `target`: it gets a copy.
 */
async function copyInstalled(version: string, installed: string, target: string): Promise<void> {
  for (const name of await readdir(installed).catch(() => [])) {
    const directory = join(installed, name);
    const found = await versionOf(join(directory, 'bin', 'k3s')).catch(() => undefined);
    if (found === version && name !== 'current') {
      await mkdir(target, { recursive: true });
      await run(['cp', '--archive', directory, join(target, name)]);
      await symlink(name, join(target, 'current'));
      return;
    }
  }
  throw new Error(
    `Failed to unpack k3s ${version}: it put nothing into ${target}; is there another data directory in its environment?`,
  );
}

function describeUnpacked(
  { version, containerdDropIns, coredns }: About,
  directory: string,
): Unpacked {
  return { version, containerdDropIns, coredns, ...pathsIn(directory) };
}

function pathsIn(directory: string): { dataDir: string; tools: string } {
  return { dataDir: join(directory, 'k3s'), tools: join(directory, 'bin') };
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

/** As if Node had written there itself, so that whoever can goes on elsewhere. */
function withCode(error: Error): Error {
  const code = /no space left on device/.test(error.message)
    ? 'ENOSPC'
    : /disk quota exceeded/.test(error.message)
      ? 'EDQUOT'
      : undefined;
  return code === undefined ? error : Object.assign(error, { code });
}
