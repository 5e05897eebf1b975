import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linesThatMatter, tailLogs } from '../../../src/run/logs.ts';
import { describeExit, parseExits } from '../../../src/run/exits.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'logs-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('tailLogs', () => {
  it('reads the ends of long logs, k3s last', async () => {
    const lines = Array.from({ length: 9_999 }, (_, index) => `${'x'.repeat(99)} ${index}`);
    writeFileSync(join(directory, 'k3s.log'), `${lines.join('\n')}\n`);
    writeFileSync(join(directory, 'init.log'), 'short\n');
    writeFileSync(join(directory, 'facts.json'), '{}');
    const tails = await tailLogs(directory);
    expect(tails.map(({ name }) => name)).toEqual(['init.log', 'k3s.log']);
    expect(tails[0]?.lines).toEqual(['short']);
    expect(tails[1]?.lines).toEqual(lines.slice(-40));
  });

  it('finds nothing in a directory that is not there', async () => {
    expect(await tailLogs(join(directory, 'none'))).toEqual([]);
  });
});

describe('linesThatMatter', () => {
  it('leaves out what is harmless, and says once what was said often', () => {
    const text = [
      'I1125 03:40:44.123456      77 server.go:12] Starting',
      'E1125 03:40:44.123456      77 a.go:1] broken',
      'time="2026-11-25T03:40:44Z" level=info msg="Starting k3s"',
      'time="2026-11-25T03:40:44Z" level=fatal msg="no"',
      'E1125 03:40:45.999999      77 a.go:1] broken',
      'W1125 03:40:45.999999      77 b.go:1] Failed to set sysctl: open /proc/sys/net',
    ].join('\n');
    expect(linesThatMatter(text)).toEqual([
      'time="2026-11-25T03:40:44Z" level=fatal msg="no"',
      'E1125 03:40:45.999999      77 a.go:1] broken (said 2 times)',
    ]);
  });
});

describe('parseExits', () => {
  it("reads what init says of its processes' ends", () => {
    const log = 'Failed to x\ngateway ended with exit 1\nk3s ended with signal 9\n';
    expect(parseExits(log).map(describeExit)).toEqual([
      'gateway ended with exit 1',
      'k3s ended with signal 9',
    ]);
  });
});
