/**
 * The part of `make lint` that reads what is not TypeScript: GitHub's workflows (actionlint, zizmor)
 * and shell scripts (shellcheck). Brings the three itself, pinned, once: from the Go proxy and PyPI.
 */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from '../../test/testbed/cache.ts';
import { command, exitOf, spawnCommand } from '../../test/testbed/command.ts';

const ROOT = join(import.meta.dirname, '../..');
const WORKFLOWS = ['.github/workflows', 'examples/workflows'];

process.chdir(ROOT);
const bin = join(await python(), 'bin');
const tracked = (await command(['git', 'ls-files'])).split('\n').filter(Boolean);
const workflows = tracked.filter(
  (path) => WORKFLOWS.some((folder) => path.startsWith(`${folder}/`)) && /\.ya?ml$/.test(path),
);
const scripts = await filterAsync(tracked, isShellScript);

// actionlint runs shellcheck on what workflows run.
const shellcheck = join(bin, 'shellcheck');
const results = await Promise.all([
  passes([await actionlint(), `-shellcheck=${shellcheck}`, '-pyflakes=', ...workflows]),
  passes([
    join(bin, 'zizmor'),
    '--offline',
    '--no-progress',
    '--quiet',
    ...workflows,
    'action.yml',
  ]),
  // SC1091: a file that a script sources is another machine's.
  passes([shellcheck, '--exclude=SC1091', ...scripts]),
]);
process.exitCode = results.every(Boolean) ? 0 : 1;

/** @returns whether it found nothing; what it finds it prints */
async function passes(argv: readonly string[]): Promise<boolean> {
  return (await exitOf(spawnCommand(argv, ['ignore', 'inherit', 'inherit']))) === 0;
}

async function actionlint(): Promise<string> {
  const module = join(import.meta.dirname, 'actionlint');
  const inputs = await Promise.all(
    ['go.mod', 'go.sum'].map((name) => readFile(join(module, name))),
  );
  const pkg = 'github.com/rhysd/actionlint/cmd/actionlint';
  return cached('actionlint', [...inputs, process.arch], async (path) => {
    await command(['go', 'build', '-mod=readonly', '-trimpath', '-o', path, pkg], {
      cwd: module,
      env: { ...process.env, CGO_ENABLED: '0' },
    });
  });
}

/** A virtual environment with the wheels of requirements.txt. */
async function python(): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const version = await command(['python3', '--version']);
  const inputs = [await readFile(requirements), version];
  return cached('lint-python', inputs, async (path) => {
    await command(['python3', '-m', 'venv', path]);
    await command([
      ...[join(path, 'bin/python'), '-m', 'pip', 'install', '--quiet', '--no-deps'],
      ...['--disable-pip-version-check', '--require-hashes', '--only-binary=:all:'],
      ...['--requirement', requirements],
    ]);
  });
}

/** By its first line: most have no suffix. */
async function isShellScript(path: string): Promise<boolean> {
  if (path.startsWith('dist/')) return false;
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(32), 0, 32, 0);
  return /^#!(\/usr)?\/bin\/(env )?(ba)?sh\b/.test(buffer.subarray(0, bytesRead).toString());
}

async function filterAsync<T>(all: readonly T[], keep: (one: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(all.map(keep));
  return all.filter((_, index) => kept[index]);
}
