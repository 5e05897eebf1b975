import { glob, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../errors.ts';
import { home } from '../files.ts';

/**
 * The files that the patterns name, each once; a directory stands for the files below it.
 * @throws InputError if a pattern matches no file: a forgotten build step rather than a wish for nothing.
 */
export async function findImages(patterns: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    patterns.map(async (pattern) => {
      const paths = await filesOf(pattern);
      if (paths.length === 0) {
        throw new InputError(
          `images: "${pattern}" matches no file; give paths or globs of image tars`,
        );
      }
      return paths;
    }),
  );
  return [...new Set(found.flat())].sort();
}

/** Not @actions/glob: it writes "::debug::" lines to stdout, which belongs to who calls the command line. */
async function filesOf(pattern: string): Promise<string[]> {
  const path = resolve(pattern.startsWith('~/') ? join(home(), pattern.slice(2)) : pattern);
  // A name may hold what a glob takes for a wildcard.
  const given = await kindOf(path);
  if (given === 'file') {
    return [path];
  }
  const matches = await Array.fromAsync(glob(given === 'directory' ? join(path, '**') : path));
  const files = await Promise.all(
    matches.map(async (match) => {
      const kind = await kindOf(match);
      return kind === 'directory' && match !== path
        ? Array.fromAsync(glob(join(match, '**'))).then(onlyFiles)
        : kind === 'file'
          ? [match]
          : [];
    }),
  );
  return files.flat();
}

async function onlyFiles(paths: readonly string[]): Promise<string[]> {
  const kinds = await Promise.all(paths.map(kindOf));
  return paths.filter((_, index) => kinds[index] === 'file');
}

async function kindOf(path: string): Promise<'file' | 'directory' | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true
    ? 'file'
    : stats?.isDirectory() === true
      ? 'directory'
      : undefined;
}
