import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';

import { ROOT } from './job.ts';

const DOCUMENT = join(ROOT, 'docs', 'screens.md');

/**
 * Compares what a terminal shows with the screen of that heading in docs/screens.md, or writes it there for
 * `make screens`.
 * @param telling lines that every run has, whatever the machine; what is waited for, and logs, are its own
 */
export async function expectScreen(heading: string, shown: string, telling: RegExp): Promise<void> {
  const text = await readFile(DOCUMENT, 'utf8');
  const begin = text.indexOf('```', text.indexOf(`\n## ${heading}\n`));
  const end = text.indexOf('\n```\n', begin);
  if (begin < 0 || end < 0) throw new Error(`docs/screens.md has no screen "${heading}"`);
  // After the fence and the command.
  const first = text.indexOf('\n', text.indexOf('\n', begin) + 1) + 1;
  if (process.env['WRITE_SCREENS'] !== undefined) {
    await writeFile(DOCUMENT, text.slice(0, first) + shown.trimEnd() + text.slice(end));
    return;
  }
  const told = linesOf(shown, telling);
  expect(told.length).toBeGreaterThan(0);
  expect(linesOf(text.slice(first, end), telling)).toEqual(told);
}

/** With `TIME` for times, and in no order: some things are reached side by side. */
function linesOf(screen: string, telling: RegExp): string[] {
  return screen
    .split('\n')
    .map((line) => line.trimEnd().replace(/^ *\d+\.\d+ s {2}/, 'TIME '))
    .filter((line, index, all) => telling.test(line) && all.indexOf(line) === index)
    .sort();
}
