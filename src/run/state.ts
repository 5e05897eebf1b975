import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceOwn } from '../files.ts';
import type { Preparation } from '../images/preparation.ts';

/** What it takes to clean up after a run; saved before what it names is made. */
export interface RunState {
  /** The kubeconfig, where it is outside of the run's own directory. */
  readonly kubeconfig?: string | undefined;
  /** The directories that were made for it, the deepest first: removed again if nothing else is in them. */
  readonly parents?: readonly string[] | undefined;
  /** Files and directories outside of the run's own directory that the run makes. */
  readonly files: readonly string[];
  /** cgroups that were not there before. */
  readonly cgroups: readonly string[];
  /** What maps the ids of a runner that is not root, who cannot remove its cgroups by itself. */
  readonly idMapper?: { readonly argv: readonly string[]; readonly native: string } | undefined;
  /** A directory with kubectl, once there is one. */
  readonly tools?: string | undefined;
  /** What must be in nothing that is shown. The directory is for its owner's eyes only. */
  readonly secrets?: readonly string[] | undefined;
  /** What the next start could use, to be made when the cluster is gone. */
  readonly preparation?: Preparation | undefined;
}

/** Where a run's directory holds its state. */
export const stateFile = (directory: string): string => join(directory, 'run.json');

/** There while a stop is at work, from before it ends anything until after the state is gone. */
export const stopFile = (directory: string): string => join(directory, 'stopping');

export async function saveState(directory: string, state: RunState): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await replaceOwn(stateFile(directory), JSON.stringify(state, undefined, 2));
}

/** @returns undefined if no run was started in the directory, or it was cleaned up already */
export async function loadState(directory: string): Promise<RunState | undefined> {
  try {
    return JSON.parse(await readFile(stateFile(directory), 'utf8')) as RunState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
