import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { errorMessage, InputError } from './errors.ts';

/** Whether something is at `path` that can be looked at. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** What the JSON file at `path` holds; undefined where there is none, or none that is whole. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * The user's home directory.
 * @throws InputError where nothing says which it is, as for a user without a name, or it would be relative
 */
export function home(): string {
  try {
    const path = homedir();
    if (path.startsWith('/')) {
      return path;
    }
  } catch {
    // No HOME, and no such user in /etc/passwd.
  }
  throw new InputError(
    'HOME: it is not set, or empty; set it to the path of a directory to write to',
  );
}

/** Writes a file for its owner's eyes only. @throws with its path: what the system says names none where a disk is full */
export async function writeOwn(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content, { mode: 0o600 });
  } catch (error) {
    throw new Error(`Failed to write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** The same, in the place of what was there: whoever reads it finds one or the other, whole. */
export async function replaceOwn(path: string, content: string): Promise<void> {
  const draft = `${path}.partial`;
  await writeOwn(draft, content);
  await rename(draft, path);
}
