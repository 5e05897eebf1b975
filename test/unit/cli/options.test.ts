import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { inputsFrom, startOptions, type ActionFile } from '../../../src/cli/options.ts';

const FILE = parse(
  readFileSync(join(import.meta.dirname, '../../../action.yml'), 'utf8'),
) as ActionFile;

describe('startOptions', () => {
  const options = startOptions(FILE);
  const named = (name: string) => options.find(({ flags }) => flags.startsWith(`--${name} `));

  it('has an option for each input, but for what only a post step does', () => {
    expect(options.map(({ flags }) => flags.split(' ')[0]?.slice(2))).toEqual(
      Object.keys(FILE.inputs).filter((name) => name !== 'keep-running'),
    );
  });

  it('takes lists again and again, and booleans without a value', () => {
    expect(options.filter(({ isList }) => isList).map(({ flags }) => flags)).toEqual(
      expect.arrayContaining(['--images <value>', '--pull <value>']),
    );
    expect(named('pull')?.description).toMatch(/; may be given again$/);
    expect(named('airgap')?.flags).toBe('--airgap [boolean]');
    expect(named('timeout')).toMatchObject({ isList: false, default: '5m' });
  });
});

describe('inputsFrom', () => {
  it('reads what commander parsed as the action reads its inputs', () => {
    const read = inputsFrom({ k3sPath: '/k3s', airgap: true, images: ['a.tar', 'b.tar'] });
    expect(['k3s-path', 'airgap', 'images', 'version'].map(read)).toEqual([
      '/k3s',
      'true',
      'a.tar\nb.tar',
      '',
    ]);
  });

  it('reads registries from a file, which keeps credentials out of the process list', () => {
    const directory = mkdtempSync(join(tmpdir(), 'options-'));
    try {
      writeFileSync(join(directory, 'registries.yaml'), 'mirrors: {}\n');
      const given = (registries: string) => inputsFrom({ registries })('registries');
      expect(given(`@${directory}/registries.yaml`)).toBe('mirrors: {}\n');
      expect(given('mirrors: {}')).toBe('mirrors: {}');
      expect(() => given(`@${directory}/none`)).toThrow(
        `registries: cannot read @${directory}/none`,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
