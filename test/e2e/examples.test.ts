import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import { runWorkflow } from '../testbed/workflow.ts';
import { ROOT } from './support/job.ts';

/** In the example's place: the action of this repository, and what the sandbox has instead of a network. */
const HERE = `uses: ./
        with:
          k3s-path: ${K3S_PATH}
          images: ${IMAGES_PATH}/*.tar`;

test('examples/workflows/chart.yml installs and tests its chart', async () => {
  const example = await readFile(join(ROOT, 'examples/workflows/chart.yml'), 'utf8');
  const workflow = example
    .replace('on: pull_request', 'on: push')
    .replace('runs-on: self-hosted', 'runs-on: ubuntu-latest')
    // act fetches the actions of all steps before the first one runs.
    .replace(/ +- if: failure\(\)\n +uses: actions\/upload-artifact[^]*/, '')
    .replace(/uses: k3s-in-gvisor\/k3s-in-gvisor@v1\n +with:/, HERE);
  expect(workflow).toContain(HERE);
  const dir = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-'));
  await writeFile(join(dir, 'chart.yml'), workflow);
  await using sandbox = await startClusterSandbox();
  const { code, log } = await runWorkflow(sandbox, {
    workflowFile: join(dir, 'chart.yml'),
    repoDir: ROOT,
  });
  await rm(dir, { recursive: true });
  expect(code, log).toBe(0);
  expect(log).toContain('Phase:          Succeeded');
});
