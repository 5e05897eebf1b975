import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { errorMessage, InputError } from '../errors.ts';
import { without } from './components.ts';
import type { Inputs } from './inputs.ts';
import { parseRegistries, type Registries } from '../k3s/registries.ts';
import { takeOwn, type Flag } from './k3s-args.ts';

/** A file of k3s's directory `server/manifests`. */
export interface Manifest {
  readonly path: string;
  readonly content: string;
}

/** What a step before put where k3s would pick it up by itself. */
export interface RunnerConfig {
  readonly flags: readonly Flag[];
  readonly manifests: readonly Manifest[];
  /** Undefined where there are none. */
  readonly registries: Registries | undefined;
}

const CONFIG = '/etc/rancher/k3s/config.yaml';
const REGISTRIES = '/etc/rancher/k3s/registries.yaml';
const MANIFESTS = '/var/lib/rancher/k3s/server/manifests';

/**
 * Reads k3s's own files on the runner. The cluster has a data directory of its own and a config.yaml of
 * its own, so k3s itself would not see them.
 * @throws InputError if one cannot be read as k3s would read it
 */
export async function readRunnerConfig(): Promise<RunnerConfig> {
  const names = await list(`${CONFIG}.d`);
  const files = [
    CONFIG,
    ...names.filter((name) => /\.ya?ml$/.test(name)).map((name) => join(`${CONFIG}.d`, name)),
  ];
  const texts = await Promise.all(files.map(readIfThere));
  const manifests = (await list(MANIFESTS))
    .filter((name) => /\.(ya?ml|json|skip)$/.test(name))
    .map(async (path) => ({ path, content: await readFile(join(MANIFESTS, path), 'utf8') }));
  return {
    flags: flagsOfConfig(
      files.flatMap((path, index) => {
        const text = texts[index];
        return text === undefined ? [] : [{ path, text }];
      }),
    ),
    manifests: await Promise.all(manifests),
    registries: parseRegistries((await readIfThere(REGISTRIES)) ?? '', REGISTRIES),
  };
}

/** The inputs with what the runner's files ask for; what the inputs say comes after. */
export function withRunnerConfig(inputs: Inputs, { flags, registries }: RunnerConfig): Inputs {
  const { k3sArgs, components } = inputs;
  const found = takeOwn(flags);
  const { pods, services, dns } = k3sArgs.networks;
  return {
    ...inputs,
    components: without(components, found.disable),
    registries: inputs.registries ?? registries,
    k3sArgs: {
      flags: [...found.flags, ...k3sArgs.flags],
      networks: {
        pods: pods ?? found.networks.pods,
        services: services ?? found.networks.services,
        dns: dns ?? found.networks.dns,
      },
      nodeName: k3sArgs.nodeName ?? found.nodeName,
      disable: [...found.disable, ...k3sArgs.disable],
      secrets: [...found.secrets, ...k3sArgs.secrets],
    },
  };
}

/** As k3s merges them: a later file's value wins, and `key+` adds to a list. */
export function flagsOfConfig(files: readonly { path: string; text: string }[]): Flag[] {
  const values = new Map<string, { where: string; value: unknown }[]>();
  for (const { path, text } of files) {
    for (const [key, value] of Object.entries(mappingOf(path, text))) {
      const name = key.replace(/\+$/, '');
      const own = (Array.isArray(value) ? value : [value]).map((item: unknown) => ({
        where: path,
        value: item,
      }));
      values.set(name, key.endsWith('+') ? [...(values.get(name) ?? []), ...own] : own);
    }
  }
  return [...values].flatMap(([name, all]) =>
    all.map(({ where, value }) => ({ name, value: String(value), where })),
  );
}

function mappingOf(path: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text, { prettyErrors: false }) ?? {};
  } catch (error) {
    throw new InputError(`${path}: is not YAML: ${errorMessage(error)}`);
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new InputError(`${path}: is not a mapping of k3s's flags`);
  }
  return value as Record<string, unknown>;
}

async function list(directory: string): Promise<string[]> {
  return (await orNothing(readdir(directory, { recursive: true })))?.sort() ?? [];
}

function readIfThere(path: string): Promise<string | undefined> {
  return orNothing(readFile(path, 'utf8'));
}

async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A runner that is not root may not look into root's k3s; then it is not for this job.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') {
      return undefined;
    }
    throw error;
  }
}
