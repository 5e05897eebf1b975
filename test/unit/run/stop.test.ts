import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { saveState } from '../../../src/run/state.ts';
import { stop } from '../../../src/run/stop.ts';

let root = '';
let directory = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stop-'));
  directory = join(root, 'run');
  mkdirSync(join(directory, 'logs'), { recursive: true });
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const unexpected = (message: string): never => {
  throw new Error(message);
};

it('removes the kubeconfig it made and all of the run but its logs', async () => {
  const kubeconfig = join(root, 'kubeconfig');
  writeFileSync(kubeconfig, '');
  writeFileSync(join(root, 'other'), '');
  writeFileSync(join(directory, 'k3s.yaml'), '');
  await saveState(directory, { kubeconfig, files: [], cgroups: [] });
  expect(await stop(directory, unexpected)).toBe(true);
  expect(readdirSync(root).sort()).toEqual(['other', 'run']);
  expect(readdirSync(directory)).toEqual(['logs']);
  expect(await stop(directory, unexpected)).toBe(false);
});

it('can be repeated after it failed on the way, and never removes a directory for a kubeconfig', async () => {
  const kubeconfig = join(root, 'work');
  mkdirSync(kubeconfig);
  writeFileSync(join(kubeconfig, 'precious'), '');
  await saveState(directory, { kubeconfig, files: [], cgroups: [] });
  await expect(stop(directory, unexpected)).rejects.toThrow(/is a directory|EISDIR/i);
  expect(existsSync(join(kubeconfig, 'precious'))).toBe(true);
  await saveState(directory, { files: [], cgroups: [] });
  expect(await stop(directory, unexpected)).toBe(true);
});
