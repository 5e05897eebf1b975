import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { exists, home } from '../files.ts';
import { runPaths } from '../layout.ts';
import { findInit } from '../namespaces/find-init.ts';
import { RUN_VARIABLE } from '../run/command.ts';
import { FOR_ACTION, offerDirectory, whyForeign } from '../run/offer.ts';
import { loadRecord, type ClusterRecord } from '../run/record.ts';
import { stateFile } from '../run/state.ts';

export const DEFAULT_NAME = 'default';

/** Where the runs of the command line are, a directory for each name. */
function root(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(home(), '.local', 'state'), 'k3s-in-gvisor');
}

/** @throws InputError if it could not be a file's name, a context's and an argument */
export function directoryOf(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    throw new InputError(
      `--name: "${name}" is not a name; use up to 32 of a-z, 0-9 and -, a letter or digit first`,
    );
  }
  return name === FOR_ACTION ? offerDirectory() : join(root(), name);
}

/** The run that a command is about: by its name, else the action's of this job, else the default. */
export function runOf(name: string | undefined): string {
  return name === undefined
    ? process.env[RUN_VARIABLE] || directoryOf(DEFAULT_NAME)
    : directoryOf(name);
}

/** @returns the names of the runs that were started and not stopped */
export async function names(): Promise<string[]> {
  const found = await readdir(root()).catch(() => []);
  const all = [...found.filter((name) => name !== FOR_ACTION), FOR_ACTION];
  const started = await Promise.all(all.map((name) => exists(stateFile(directoryOf(name)))));
  return all.filter((_, index) => started[index]).sort();
}

/** A cluster that runs. */
export interface RunningCluster extends ClusterRecord {
  /** init's outer process. */
  readonly init: number;
}

/** @throws Error if there is no such run, or its cluster is not there (yet, or any more) */
export async function runningCluster(directory: string): Promise<RunningCluster> {
  if (!(await exists(stateFile(directory)))) {
    throw new Error(
      `Failed to find a cluster in ${directory}: none was started there; "k3s-in-gvisor list" names those that were`,
    );
  }
  const { launchFile, logs } = runPaths(directory);
  const init = await findInit(launchFile);
  if (init === undefined) {
    throw new Error(
      `Failed to reach the cluster of ${directory}: its processes have ended; ${logs} says why`,
    );
  }
  const record = await loadRecord(directory);
  if (record === undefined) {
    throw new Error(`Failed to reach the cluster of ${directory}: it is not ready yet`);
  }
  return { ...record, init };
}

/**
 * Makes the directory of a run, which `stop` will empty; the logs of one before go.
 * @throws InputError if a run of that name is there, or the directory may be somebody else's
 */
export async function makeOwn(name: string): Promise<string> {
  const directory = directoryOf(name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const foreign = name === FOR_ACTION ? await whyForeign(directory) : undefined;
  if (foreign !== undefined) {
    throw new InputError(`--for-action: ${foreign}; remove it`);
  }
  if (await exists(stateFile(directory))) {
    throw new InputError(
      `--name: a cluster named ${name} was started and not stopped; stop it ("k3s-in-gvisor stop --name ${name}"), or give another name`,
    );
  }
  const { logs, bundle } = runPaths(directory);
  await Promise.all([logs, bundle].map((path) => rm(path, { recursive: true, force: true })));
  return directory;
}
