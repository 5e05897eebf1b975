import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** C sources and headers by their path in `native/`, which is also what `#include` says. */
export type Sources = Readonly<Record<string, string>>;

/** The interceptor's own files without its tests, and the library that all native programs share. */
export async function readSources(native: string): Promise<Sources> {
  const names = (
    await Promise.all(
      ['interceptor', 'interceptor/handlers', 'lib'].map(async (directory) =>
        (await readdir(join(native, directory))).map((name) => `${directory}/${name}`),
      ),
    )
  )
    .flat()
    .filter((name) => /\.[ch]$/.test(name))
    .sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(native, name), 'utf8')] as const),
    ),
  );
}

/** `lib/die.h` of `#include "lib/die.h"`, or `options.h` of `#include "options.h"`. */
const INCLUDE = /^#include "([^"]+)"/gm;

/** The .c files that make the program: its own, and those of the library that they include, and so on. */
export function translationUnits(sources: Sources): string[] {
  const units = new Set(Object.keys(sources).filter((name) => /^interceptor\/.*\.c$/.test(name)));
  // A Set is walked in the order of insertion, with what is added on the way.
  const seen = new Set(units);
  for (const name of seen) {
    for (const [, included = ''] of (sources[name] ?? '').matchAll(INCLUDE)) {
      const unit = included.replace(/\.h$/, '.c');
      [included, unit].filter((file) => file in sources).forEach((file) => seen.add(file));
      if (unit.startsWith('lib/') && unit in sources) {
        units.add(unit);
      }
    }
  }
  return [...units].sort();
}

/** What tells one build from another: every byte of the sources, how and for what they are compiled. */
export function buildKey(
  sources: Sources,
  flags: readonly string[],
  compiler: string,
  arch: string,
): string {
  return createHash('sha256')
    .update(JSON.stringify([Object.entries(sources).sort(), flags, compiler, arch]))
    .digest('hex');
}
