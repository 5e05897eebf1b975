import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { explainFailure } from '../../../src/report/failure.ts';
import { findHints } from '../../../src/report/hints.ts';
import { tailLogs } from '../../../src/report/logs.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'report-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('findHints', () => {
  it.each([
    ['write /x: no space left on device', /disk or a tmpfs is full/],
    ['Error: unknown flag: --nope', /look at k3s-args/],
    ['listen tcp 127.0.0.1:6443: bind: address already in use', /port is taken/],
  ])('knows %s', (log, advice) => {
    expect(findHints(log)).toEqual([expect.stringMatching(advice)]);
  });

  it('says nothing about what it does not know', () => {
    expect(findHints('all is well')).toEqual([]);
  });
});

describe('tailLogs', () => {
  it('reads the ends of long logs from a whole line on, k3s last', async () => {
    writeFileSync(join(directory, 'k3s.log'), `${'x'.repeat(99)}\n`.repeat(200));
    writeFileSync(join(directory, 'init.log'), 'short\n');
    const tails = await tailLogs(directory);
    expect(tails.map(({ name }) => name)).toEqual(['init.log', 'k3s.log']);
    expect(tails[0]?.text).toBe('short\n');
    expect(tails[1]?.text.length).toBeLessThan(8_193);
    expect(tails[1]?.text.split('\n')[0]).toBe('x'.repeat(99));
  });

  it('finds nothing in a directory that is not there', async () => {
    expect(await tailLogs(join(directory, 'none'))).toEqual([]);
  });
});

describe('explainFailure', () => {
  const lines: string[] = [];
  const log = {
    info: (line: string) => lines.push(line),
    notice: (line: string) => lines.push(line),
    warning: (line: string) => lines.push(line),
    group: (title: string, body: () => void) => {
      lines.push(title);
      body();
    },
  };

  it('shows the logs and the likely fix', async () => {
    writeFileSync(join(directory, 'k3s.log'), 'no space left on device\n');
    const message = await explainFailure(new Error('Failed to reach "node Ready"'), directory, log);
    expect(message).toMatch(/^Failed to reach "node Ready"\nThe disk or a tmpfs is full/);
    expect(lines).toContain('End of k3s.log');
  });

  it('answers bad input with the one message', async () => {
    expect(await explainFailure(new InputError('mode: no'), directory, log)).toBe('mode: no');
  });
});
