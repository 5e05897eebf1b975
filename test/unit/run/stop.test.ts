import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tellAll, type Ended } from '../../../src/run/events.ts';
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

const unexpected = tellAll({
  warning: (message) => {
    throw new Error(message);
  },
});

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

it('removes the directories that were made for the kubeconfig, as far as they are empty', async () => {
  const outer = join(root, 'outer');
  const inner = join(outer, 'inner');
  mkdirSync(inner, { recursive: true });
  writeFileSync(join(inner, 'kubeconfig'), '');
  writeFileSync(join(outer, 'of-a-step'), '');
  const kubeconfig = join(inner, 'kubeconfig');
  await saveState(directory, { kubeconfig, parents: [inner, outer], files: [], cgroups: [] });
  expect(await stop(directory, unexpected)).toBe(true);
  expect(existsSync(inner)).toBe(false);
  expect(existsSync(join(outer, 'of-a-step'))).toBe(true);
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

it('tells of a run that ended before, keeps the bundle, and takes the secrets out of it', async () => {
  const told: Ended[] = [];
  await saveState(directory, { files: [], cgroups: [], secrets: ['hunter22'] });
  writeFileSync(join(directory, 'launch'), '');
  writeFileSync(join(directory, 'cluster.json'), '{}');
  writeFileSync(join(directory, 'logs', 'init.log'), 'k3s ended with signal 9\n');
  writeFileSync(join(directory, 'logs', 'k3s.log'), 'E1125 1:1.1 1 a.go:1] password hunter22\n');
  writeFileSync(join(directory, 'logs', 'facts.json'), '{}');
  await stop(directory, tellAll({ ended: (ended) => told.push(ended) }));
  expect(told).toMatchObject([
    {
      how: 'ended',
      exits: ['k3s ended with signal 9'],
      warning: 'The cluster ended before the job did: k3s ended with signal 9',
      causes: [{ heading: 'ended with signal 9' }],
    },
  ]);
  expect(JSON.stringify(told)).not.toContain('hunter22');
  expect(readdirSync(directory).sort()).toEqual(['bundle', 'logs']);
  const bundle = join(directory, 'bundle');
  expect(readdirSync(bundle, { recursive: true }).sort()).toEqual([
    'diagnosis.txt',
    'facts.json',
    'logs',
    'logs/init.log',
    'logs/k3s.log',
  ]);
  expect(readFileSync(join(bundle, 'logs', 'k3s.log'), 'utf8')).toContain('password ***');
});

it('says nothing of a run that never became ready', async () => {
  const told: Ended[] = [];
  writeFileSync(join(directory, 'launch'), '');
  writeFileSync(join(directory, 'logs', 'init.log'), 'k3s ended with signal 9\n');
  await saveState(directory, { files: [], cgroups: [] });
  await stop(directory, tellAll({ ended: (ended) => told.push(ended) }));
  expect(told).toMatchObject([{ how: 'unused', warning: undefined }]);
  expect(readdirSync(directory)).toEqual(['logs']);
});

it('takes what another stop is ending for no cluster that died', async () => {
  await saveState(directory, { files: [], cgroups: [] });
  writeFileSync(join(directory, 'launch'), '');
  writeFileSync(join(directory, 'cluster.json'), '{}');
  writeFileSync(join(directory, 'stopping'), '');
  const told: Ended[] = [];
  expect(await stop(directory, tellAll({ ended: (ended) => told.push(ended) }))).toBe(true);
  expect(told).toEqual([]);
  expect(readdirSync(directory)).toEqual(['logs']);
});
