import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Job } from '../e2e/support/job.ts';
import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import { image } from '../testbed/images/images.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { moduleDir, tool, type Tool } from '../testbed/tools.ts';
import { CHARTS, EXAMPLES, FOREIGN_CHARTS, PROGRAMS, type ForeignChart } from './charts.ts';

const HELM_4 = `${PROGRAMS}/helm-4`;
const REGISTRY = 'http://registry.test:5000';
const MIRRORS = ['docker.io', 'ghcr.io', 'registry.k8s.io'];

/** Those that `CHARTS` names, or all. */
const wanted = process.env['CHARTS']?.split(',') ?? ['all'];
const known = FOREIGN_CHARTS.map(({ name }) => name);
const unknown = wanted.filter((name) => name !== 'all' && !known.includes(name));
if (unknown.length > 0)
  throw new Error(`CHARTS: ${unknown.join(', ')}: not of ${known.join(', ')}`);
const charts = FOREIGN_CHARTS.filter(({ name }) => wanted.includes('all') || wanted.includes(name));

let sandbox: Sandbox;
let job: Job;

const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args]);
const revisions = async (release: string): Promise<{ revision: number; status: string }[]> =>
  JSON.parse(
    await job.must([HELM_4, 'history', release, '--namespace', release, '--output=json']),
  ) as { revision: number; status: string }[];

function install(
  helm: string,
  release: string,
  { name, settings }: ForeignChart,
  ...more: string[]
): Promise<string> {
  const set = settings.map((setting) => `--set=${setting.replace('RELEASE', release)}`);
  return job.must([
    ...[helm, 'upgrade', '--install', release, `${CHARTS}/${name}`, `--namespace=${release}`],
    ...['--create-namespace', '--wait', '--timeout=5m', ...set, ...more],
  ]);
}

async function passItsTests(helm: string, release: string, { suites }: ForeignChart) {
  const log = await job.must([helm, 'test', release, `--namespace=${release}`, '--timeout=3m']);
  const ran = [...log.matchAll(/^TEST SUITE:\s+\S+?-(\w+)-test-\w+$/gm)].map(([, suite]) => suite);
  expect(ran.sort(), log).toEqual(suites);
  expect(log.match(/^Phase:\s+Succeeded/gm) ?? [], log).toHaveLength(suites.length);
}

async function uninstall(helm: string, release: string): Promise<void> {
  await job.must([helm, 'uninstall', release, `--namespace=${release}`, '--wait']);
  await kubectl('wait', 'pod', '--all', '--for=delete', `--namespace=${release}`, '--timeout=2m');
}

beforeAll(async () => {
  const folders = await Promise.all(
    charts.map(async ({ name, tool, module, chart, examples }) => {
      const root = await moduleDir(tool, module);
      return [
        { source: join(root, chart), destination: `${CHARTS}/${name}` },
        ...(examples === undefined
          ? []
          : [{ source: join(root, examples), destination: `${EXAMPLES}/${name}` }]),
      ];
    }),
  );
  const names: readonly Tool[] = ['helm-4', ...charts.flatMap(({ programs = [] }) => programs)];
  const programs = await Promise.all(
    names.map(async (name) => ({
      source: await tool(name),
      destination: `${PROGRAMS}/${name}`,
    })),
  );
  sandbox = await startClusterSandbox({
    mounts: [...folders.flat(), ...programs].map((mount) => ({ ...mount, readonly: true })),
    registry: await Promise.all(charts.flatMap(({ images }) => images).map(image)),
  });
  job = await Job.create(sandbox);
  const mirrors = Object.fromEntries(MIRRORS.map((name) => [name, { endpoint: [REGISTRY] }]));
  await job.mustMain({
    inputs: {
      'k3s-path': K3S_PATH,
      images: `${IMAGES_PATH}/*.tar`,
      mode: 'full',
      registries: JSON.stringify({ mirrors }),
    },
  });
});
afterAll(() => sandbox.stop());

describe.each(charts)('$name', (chart) => {
  const works = async (helm: string, release: string) => {
    await passItsTests(helm, release, chart);
    await chart.works(job, release);
  };

  test('works as Helm 3 installs it, and after Helm 4 upgraded that', async () => {
    const release = `${chart.name}-3`;
    await install('helm', release, chart);
    await works('helm', release);
    await install(HELM_4, release, chart);
    expect(await revisions(release)).toMatchObject([
      { revision: 1, status: 'superseded' },
      { revision: 2, status: 'deployed' },
    ]);
    await works(HELM_4, release);
    await uninstall(HELM_4, release);
  });

  test('works as Helm 4 installs it', async () => {
    const release = `${chart.name}-4`;
    await install(HELM_4, release, chart);
    await works(HELM_4, release);
    await uninstall(HELM_4, release);
  });
});

test.each(charts.filter(({ name }) => name === 'podinfo'))(
  'Helm 4 rolls back by itself what does not become ready',
  async (podinfo) => {
    await install(HELM_4, 'podinfo-failing', podinfo);
    const upgraded = install(
      ...[HELM_4, 'podinfo-failing', podinfo, '--set=faults.unready=true', '--rollback-on-failure'],
      '--timeout=40s',
    );
    await expect(upgraded).rejects.toThrow('has been rolled back');
    expect(await revisions('podinfo-failing')).toMatchObject([
      { revision: 1, status: 'superseded' },
      { revision: 2, status: 'failed' },
      { revision: 3, status: 'deployed' },
    ]);
    const ready = ['deployment', 'podinfo-failing', '--namespace=podinfo-failing', '--timeout=2m'];
    await kubectl('rollout', 'status', ...ready);
    await uninstall(HELM_4, 'podinfo-failing');
  },
);
