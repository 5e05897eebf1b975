import { afterAll, beforeAll, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { ACTION, Job, RUNNER_FILES, RUNNER_TEMP, TOOL_CACHE, WORKSPACE } from './support/job.ts';
import { snapshot, type Snapshot } from './support/snapshot.ts';

const DECLARED = [TOOL_CACHE, WORKSPACE, `${RUNNER_TEMP}/k3s-in-gvisor-*`, RUNNER_FILES];
const KEPT = `${TOOL_CACHE}/k3s-in-gvisor/images`;
/** Copies of the job's own, which it can remove. */
const TARS = `${WORKSPACE}/tars`;
const INPUTS = {
  'k3s-path': K3S_PATH,
  images: `${TARS}/*`,
  mode: 'full',
  'warm-start': 'true',
};
const COMPRESS = `
  const { readFileSync, rmSync, writeFileSync } = require('node:fs');
  const [, tar] = process.argv;
  writeFileSync(tar + '.zst', require('node:zlib').zstdCompressSync(readFileSync(tar)));
  rmSync(tar);`;
const NEW = 'these images were not prepared yet';
const FOUND = 'the images are in the tool cache';

let sandbox: Sandbox;
let job: Job;
let before: Snapshot;

beforeAll(async () => {
  sandbox = await startClusterSandbox({ profile: 'stock' });
  job = await Job.create(sandbox);
  before = await snapshot(sandbox, DECLARED);
  await job.must(['mkdir', TARS]);
  await job.must(['sh', '-c', `cp ${IMAGES_PATH}/*.tar ${TARS} && gzip ${TARS}/curl.tar`]);
  await job.must(['node', '-e', COMPRESS, `${TARS}/busybox.tar`]);
});
afterAll(() => sandbox.stop());

/** What k3s says of each tar. */
const IMPORT = /[Ii]mport(ing|ed) /;
const k3sLog = (): Promise<string> => job.must(['cat', `${job.outputs['logs'] ?? ''}/k3s.log`]);

/** Text that a run must keep to itself: keys, certificates, tokens, and what its cluster was told. */
async function secretsOfTheRun(): Promise<string[]> {
  const kubeconfig = await job.must(['cat', job.outputs['kubeconfig'] ?? '']);
  const encoded = [...kubeconfig.matchAll(/(?:-data|token): (\S{40,})/g)].map(([, text]) => text);
  // The last lines of a PEM are its own; the first ones are alike.
  const lines = encoded.flatMap((text = '') =>
    Buffer.from(text, 'base64').toString().split('\n').slice(3, -3),
  );
  expect(lines.length).toBeGreaterThan(10);
  await job.must(['kubectl', 'create', 'secret', 'generic', 'mine', `--from-literal=word=${WORD}`]);
  return [...lines, WORD];
}

const WORD = 'a-word-only-this-cluster-knew';

async function post(): Promise<string> {
  const { code, log } = await job.post();
  expect(code).toBe(0);
  expect(await snapshot(sandbox, DECLARED)).toEqual(before);
  return log;
}

test('images are kept for the next start, and nothing of the cluster with them', async () => {
  const cold = await job.mustMain({ inputs: INPUTS });
  expect(cold.log).toContain(NEW);
  expect(await k3sLog()).toMatch(IMPORT);
  const secrets = await secretsOfTheRun();
  expect(await post()).not.toContain('::warning::');

  const write = 'file=$1; shift; printf "%s\\n" "$@" >"$file"';
  await job.must(['sh', '-c', write, 'sh', `${RUNNER_FILES}/secrets`, ...secrets]);
  const grep = ['grep', '--recursive', '--fixed-strings', '--files-with-matches'];
  const found = await job.exec([...grep, `--file=${RUNNER_FILES}/secrets`, KEPT]);
  expect(found).toMatchObject({ code: 1, stdout: '' });
  // Images may hold set-uid programs.
  expect(await job.must(['sh', '-c', `stat --format=%a ${KEPT}/*`])).toBe('700\n');
});

test('the next start uses them: nothing is imported, and the chart passes', async () => {
  const warm = await job.mustMain({ inputs: INPUTS });
  expect(warm.log).toContain(FOUND);
  expect(await k3sLog()).not.toMatch(IMPORT);
  const env = { KUBECACHEDIR: `${RUNNER_FILES}/kubectl`, HOME: RUNNER_FILES };
  const chart = `${ACTION}/examples/nginx-helm-chart`;
  await job.must(['helm', 'install', 'mynginx', chart, '--wait'], { env });
  expect(await job.must(['helm', 'test', 'mynginx'], { env })).toContain('Succeeded');
  expect(await post()).not.toContain('::warning::');
});

test('what was damaged is prepared again', async () => {
  await job.must(['sh', '-c', `: >"$(find ${KEPT} -path '*/blobs/*' -type f | head -n 1)"`]);
  const damaged = await job.mustMain({ inputs: INPUTS });
  expect(damaged.log).toContain(NEW);
  await post();
  const again = await job.mustMain({ inputs: INPUTS });
  expect(again.log).toContain(FOUND);
  await post();
});

test('images that cannot be prepared are a warning, and nothing is left of the attempt', async () => {
  await job.must(['sh', '-c', `rm -r ${KEPT}`]);
  await job.mustMain({ inputs: INPUTS });
  await job.must(['sh', '-c', `rm ${TARS}/nginx*.tar`]);
  const log = await post();
  expect(log).toMatch(/::warning::.*failed to prepare images: .*importer\.log/i);
  expect(await job.must(['find', TOOL_CACHE, '-path', '*/images/*'])).toBe('');
});
