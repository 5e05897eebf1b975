import { readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { command } from '../testbed/command.ts';
import { npm, pack, type Packed } from '../testbed/npm-package.ts';

const ROOT = join(import.meta.dirname, '../..');
const MIB = 1 << 20;

/** What every job that uses the action downloads; a bundle that doubles is a mistake. */
const DIST_BUDGETS: Readonly<Record<string, number>> = {
  action: 4.5 * MIB,
  cli: 2.5 * MIB,
  controller: 0.5 * MIB,
  importer: 0.2 * MIB,
  native: 2 * MIB,
};
const PACKAGE_BUDGET = 2 * MIB;
/** Of the processor, to read the bundle and run what stands at its top level: 100 ms, with room. */
const LOAD_BUDGET_MS = 500;

describe('dist', () => {
  test('holds nothing that has no budget', () => {
    expect(readdirSync(join(ROOT, 'dist')).sort()).toEqual(Object.keys(DIST_BUDGETS).sort());
  });

  test.each(Object.entries(DIST_BUDGETS))('%s is not larger than %d bytes', (name, budget) => {
    expect(sizeOf(join(ROOT, 'dist', name))).toBeLessThanOrEqual(budget);
  });

  test.each(['action', 'cli', 'controller', 'importer'])(
    '%s is loaded soon enough that nobody waits for the first line',
    async (name) => {
      // The command line and the daemons begin at once: compiling them is what is measured there.
      const measured = `
        const { readFileSync } = await import('node:fs');
        const { SourceTextModule } = await import('node:vm');
        const path = process.argv[1];
        if (path.includes('/action/')) await import(path);
        else new SourceTextModule(readFileSync(path, 'utf8'));
        const { user, system } = process.cpuUsage();
        console.log((user + system) / 1000);`;
      const node = [process.execPath, '--experimental-vm-modules', '--no-warnings'];
      const bundle = join(ROOT, 'dist', name, 'index.js');
      const ms = Number(await command([...node, '--input-type=module', '-e', measured, bundle]));
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThan(LOAD_BUDGET_MS);
    },
  );
});

describe('the package', () => {
  let scratch: string;
  let packed: Packed;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-'));
    packed = await pack(scratch);
  });
  afterAll(() => rm(scratch, { recursive: true }));

  test('holds what the command line runs, and nothing of the tests', () => {
    const files = packed.files.map(({ path }) => path);
    expect(files).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'action.yml', 'package.json'],
        ...['cli', 'controller', 'importer'].map((name) => `dist/${name}/index.js`),
        ...['linux-x64', 'linux-arm64'].map((target) => `dist/native/${target}/SHA256SUMS`),
        'native/interceptor/main.c',
      ]),
    );
    const folders = new Set(files.map((file) => (file.includes('/') ? dirname(file) : '')));
    expect(
      [...folders].filter((folder) => /(^|\/)test(\/|$)|^src|dist\/action/.test(folder)),
    ).toEqual([]);
    expect(packed.size).toBeLessThan(PACKAGE_BUDGET);
  });

  test('is installed without network and without dependencies, and runs', async () => {
    const project = join(scratch, 'project');
    await mkdir(project);
    await npm(project, 'init', '--yes');
    await npm(project, 'install', join(scratch, packed.filename));
    expect(
      readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.')),
    ).toEqual(['k3s-in-gvisor']);
    const help = await command(['npx', '--offline', '--no', 'k3s-in-gvisor', '--', '--help'], {
      cwd: project,
    });
    expect(help).toMatch(/^Usage: k3s-in-gvisor /m);
  });

  test('says which Node it needs, to one that is older', async () => {
    const older = `Object.defineProperty(process, 'versions', { value: { node: '18.20.8' } })`;
    const node = [
      process.execPath,
      '--import',
      `data:text/javascript,${encodeURIComponent(older)}`,
    ];
    await expect(command([...node, join(ROOT, 'dist/cli/index.js'), 'list'])).rejects.toThrow(
      /exit code 2\nFailed to run k3s-in-gvisor: it needs Node 24 or later, and this is 18\.20\.8/,
    );
  });
});

function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(path, name)))
    .reduce((sum, { size }) => sum + size, 0);
}
