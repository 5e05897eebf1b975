import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists } from '../files.ts';
import type { RunState } from './state.ts';

/** The directories above `path` that are not there, the deepest first. */
export async function missingParents(path: string): Promise<string[]> {
  const parent = dirname(path);
  return (await exists(parent)) ? [] : [parent, ...(await missingParents(parent))];
}

/** Takes back a kubeconfig that was made where the user wanted it, and the directories made for it. */
export async function removeKubeconfig({
  kubeconfig,
  parents = [],
}: Pick<RunState, 'kubeconfig' | 'parents'>): Promise<void> {
  if (kubeconfig !== undefined) {
    await rm(kubeconfig, { force: true });
    await removeEmpty(parents);
  }
}

/** Up to the first that others use, or that is gone. */
async function removeEmpty(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    try {
      await rmdir(directory);
    } catch (error) {
      if (
        !['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')
      ) {
        throw error;
      }
    }
  }
}
