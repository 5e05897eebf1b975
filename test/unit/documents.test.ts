import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { WORKAROUNDS } from '../../src/plan/parts/index.ts';
import { FOREIGN_CHARTS } from '../charts/charts.ts';
import { parseAction, renderReference, renderTypes } from '../../scripts/action-reference.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const action = parseAction(read('action.yml'));

test('docs/reference.md and action-types.yml say what action.yml does (node scripts/document-action.ts)', async () => {
  expect(read('docs/reference.md')).toBe(await renderReference(action));
  expect(read('action-types.yml')).toBe(await renderTypes(action));
});

describe('links', () => {
  const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n');

  test.each(documents)('of %s lead somewhere', (document) => {
    // What stands in code is an example.
    const text = read(document).replace(/```[\s\S]*?```|`[^`]*`/g, '');
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? document : join(dirname(document), path);
        if (!existsSync(join(ROOT, file))) return true;
        return anchor !== undefined && !anchors(read(file)).includes(anchor);
      });
    expect(broken).toEqual([]);
  });
});

test('commands of the documents are commands that there are', () => {
  const source = read('src/cli/command-line.ts');
  const known = [...source.matchAll(/\.command\('([a-z]+)'\)/g)].map(([, name]) => name);
  expect(known).toContain('start');
  const documents = ['README.md', ...globSync('docs/*.md', { cwd: ROOT })];
  const told = documents.flatMap((path) =>
    [...read(path).matchAll(/(?:^|[($`]|\bnpx )k3s-in-gvisor ([a-z]+)/gm)].map(([, name]) => name),
  );
  expect(told).toContain('bundle');
  expect(told.filter((name) => !known.includes(name))).toEqual([]);
});

describe.each(globSync('examples/workflows/*.yml', { cwd: ROOT }))('%s', (path) => {
  const { jobs } = parse(read(path)) as {
    jobs: Record<string, { steps: { uses?: string; with?: Record<string, string> }[] }>;
  };
  const steps = Object.values(jobs).flatMap(({ steps }) => steps);
  const ours = steps.filter(({ uses }) => uses?.startsWith('k3s-in-gvisor/'));

  test('uses the action, with inputs that it has', () => {
    expect(ours.length).toBeGreaterThan(0);
    const given = ours.flatMap((step) => Object.keys(step.with ?? {}));
    expect(given.filter((name) => !(name in action.inputs))).toEqual([]);
  });

  test('asks only for outputs that there are', () => {
    const asked = [...read(path).matchAll(/steps\.k3s\.outputs\.([a-z-]+)/g)].map(
      ([, o = '']) => o,
    );
    expect(asked.filter((name) => !(name in action.outputs))).toEqual([]);
  });
});

test('the README tells of the foreign charts that are tested, by the versions their tests take', () => {
  const rows = [...read('README.md').matchAll(/^\| ([a-z0-9-]+) +\| `([^`@]+)@(v[^`]+)` +\|/gm)];
  const tested = FOREIGN_CHARTS.map(({ name, tool, module }) => {
    const pinned = read(`test/testbed/tools/${tool}/go.mod`)
      .split('\n')
      .map((line) => line.trim().split(' '))
      .find(([required]) => required === module);
    return [name, module, pinned?.[1]];
  });
  expect(rows.map(([, ...row]) => row)).toEqual(tested);
});

/** Of a document's headings, as GitHub makes them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

test('docs/upstream.md names each workaround that a change of gVisor would end', () => {
  const named = [...read('docs/upstream.md').matchAll(/`([a-z0-9-]+)`(?=[^|\n]*\|$)/gm)].map(
    ([, id = '']) => id,
  );
  const ended = WORKAROUNDS.filter(({ removeWhen }) => /^(?!never).*gVisor/.test(removeWhen));
  const done = ['masked-directories'];
  expect(named.filter((id) => WORKAROUNDS.some((part) => part.id === id)).sort()).toEqual(
    ended
      .map(({ id }) => id)
      .filter((id) => !done.includes(id))
      .sort(),
  );
});
