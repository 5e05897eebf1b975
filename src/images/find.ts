import { create as createGlobber } from '@actions/glob';
import { InputError } from '../errors.ts';

/**
 * The files that the patterns name, each once.
 * @throws InputError if a pattern matches no file: a forgotten build step rather than a wish for nothing.
 */
export async function findImages(patterns: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    patterns.map(async (pattern) => {
      const globber = await createGlobber(pattern, { matchDirectories: false });
      const paths = await globber.glob();
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
