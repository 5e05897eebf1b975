import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { readUsage } from '../../../src/metrics/cgroups.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'cgroups-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const v1 = (path: string, cpu: number, memory: number) => ({
  [`cpuacct/${path}cpuacct.usage`]: `${cpu}\n`,
  [`memory/${path}memory.usage_in_bytes`]: `${memory}\n`,
});
const v2 = (path: string, usec: number, memory: number) => ({
  [`${path}cpu.stat`]: `usage_usec ${usec}\nuser_usec 1\n`,
  [`${path}memory.current`]: String(memory),
});

it.each([
  [
    'version 1',
    {
      ...v1('', 9_000_000, 900),
      ...v1('kubepods/', 7, 7),
      ...v1(`kubepods/besteffort/podu1/${A}/`, 2_000_000, 20),
      ...v1(`k3s-in-gvisor-0/agent-1/kubepods/podu2/${B}/`, 3_000_000, 30),
      ...v1('other/', 1, 1),
    },
  ],
  [
    'version 2',
    {
      ...v2('', 9_000, 900),
      ...v2(`kubepods/burstable/podu1/${A}/`, 2_000, 20),
      ...v2(`k3s-in-gvisor-0/agent-1/kubepods/podu2/${B}/`, 3_000, 30),
    },
  ],
])('reads %s', async (_, files) => {
  expect(await readUsage(tree(files))).toEqual({
    node: { cpu: 9_000_000, memory: 900 },
    containers: new Map([
      [A, { cpu: 2_000_000, memory: 20 }],
      [B, { cpu: 3_000_000, memory: 30 }],
    ]),
  });
});

it('leaves out what goes while it is read, and needs no pods', async () => {
  const root = tree({ ...v2('', 1, 1), [`kubepods/podu/${A}/cpu.stat`]: 'usage_usec 1\n' });
  expect((await readUsage(root)).containers.size).toBe(0);
  expect((await readUsage(tree(v1('', 1, 1)))).containers.size).toBe(0);
});

it('says so where there is no tree', async () => {
  await expect(readUsage(tree({ 'x/y': '' }))).rejects.toThrow(/Failed to read the node's usage/);
});
