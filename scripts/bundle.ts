/**
 * Bundles each entry into dist/<entry>/index.js with ncc. TypeScript's own output is what ncc sees:
 * its loader knows no TypeScript 6.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const JS = join(ROOT, 'build', 'js');
const ENTRIES = ['action', 'cli', 'controller', 'importer'];

/** The files that action.yml names, and what each calls of the bundle beside it. */
const STEPS = { main: 'runMain', post: 'runPost' };

const bin = (name: string, ...args: string[]): void => {
  execFileSync(join(ROOT, 'node_modules', '.bin', name), args, { cwd: ROOT, stdio: 'inherit' });
};

rmSync(JS, { recursive: true, force: true });
bin('tsc', '--project', 'tsconfig.build.json');
// ncc reads the module kind from the nearest package.json.
writeFileSync(join(JS, 'package.json'), '{ "type": "module" }\n');
for (const entry of ENTRIES) {
  const out = join(ROOT, 'dist', entry);
  rmSync(out, { recursive: true, force: true });
  bin(
    'ncc',
    'build',
    join(JS, 'entries', `${entry}.js`),
    '--out',
    out,
    '--license',
    'licenses.txt',
    '--quiet',
  );
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }\n');
}
for (const [step, run] of Object.entries(STEPS)) {
  writeFileSync(
    join(ROOT, 'dist', 'action', `${step}.js`),
    // What a step that failed has left under way, such as a connection, must not keep it.
    `import { ${run} } from './index.js';\n\nawait ${run}();\nprocess.exit();\n`,
  );
}
