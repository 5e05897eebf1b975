import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '../..');
const files = globSync('.github/workflows/*.yml', { cwd: ROOT }).sort();
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Workflow {
  permissions: unknown;
  jobs: Record<string, { needs?: string[] }>;
}

test('the job that branch protection asks for waits for every other', () => {
  const { jobs } = parse(read('.github/workflows/ci.yml')) as Workflow;
  const others = Object.keys(jobs).filter((name) => name !== 'all');
  expect([...(jobs['all']?.needs ?? [])].sort()).toEqual(others.sort());
});

describe.each(files)('%s', (path) => {
  const text = read(path);

  test('names what it uses by hash, and says which version that is', () => {
    const uses = [...text.matchAll(/uses: (\S+)(.*)/g)]
      .filter(([, name = '']) => !name.startsWith('./'))
      .map(([line]) => line);
    for (const line of uses) expect(line).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('gives its jobs no permission but by name', () => {
    expect((parse(text) as Workflow).permissions).toEqual({});
  });

  test('calls only targets and scripts that there are', () => {
    const targets = new Set([...read('Makefile').matchAll(/^([a-z][a-z-]*):/gm)].map(([, t]) => t));
    // Behind git it is Debian's package.
    const called = [...text.matchAll(/(?<!git )\bmake ((?:[a-z][a-z-]*(?: |$))+)/gm)].flatMap(
      ([, names = '']) => names.trim().split(' '),
    );
    expect(called.filter((name) => !targets.has(name))).toEqual([]);
    const scripts = [...text.matchAll(/\bnode (\S+\.ts)/g)].map(([, script = '']) => script);
    expect(scripts.filter((script) => globSync(script, { cwd: ROOT }).length === 0)).toEqual([]);
  });
});
