import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const root = join(import.meta.dirname, '..', '..');

/** Where make puts the programs and their tests. */
export const buildDir = join(root, 'build', 'native');

/** The programs as they ship, and beside them, in `test/`, their unit tests. */
export const programs = join(buildDir, 'linux-x64');

/** The same under ASan, UBSan and libFuzzer. */
export const sanitized = join(buildDir, 'sanitize');

/** Vitest's globalSetup: builds once, before any test and not in each file, all that is native. */
export default async function build(): Promise<void> {
  for (const targets of [['all', 'tests'], ['sanitize']]) {
    await run('make', ['-C', join(root, 'native'), '-s', '-j2', ...targets]);
  }
}
