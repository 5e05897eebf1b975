import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists } from '../files.ts';

/** The directories above `path` that are not there, the deepest first. */
export async function missingParents(path: string): Promise<string[]> {
  const parent = dirname(path);
  return (await exists(parent)) ? [] : [parent, ...(await missingParents(parent))];
}

/** Up to the first that others use, or that is gone. */
export async function removeEmpty(directories: readonly string[]): Promise<void> {
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
