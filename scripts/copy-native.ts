/** Copies the native programs that make built into dist/, where the action looks for them. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const BUILT = join(ROOT, 'build', 'native');
const PROGRAMS = ['init', 'idmap', 'probe', 'gateway', 'cni', 'adapter', 'interceptor'];

for (const target of readdirSync(BUILT).filter((name) => name.startsWith('linux-'))) {
  const out = join(ROOT, 'dist', 'native', target);
  mkdirSync(out, { recursive: true });
  for (const program of PROGRAMS) {
    copyFileSync(join(BUILT, target, program), join(out, program));
  }
  // As sha256sum prints them, so that `sha256sum --check` works too.
  const sums = PROGRAMS.map((program) => {
    const content = readFileSync(join(out, program));
    return `${createHash('sha256').update(content).digest('hex')}  ${program}\n`;
  });
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
}
