import { join } from 'node:path';
import { expect, test } from 'vitest';

import { startSandbox } from '../../testbed/sandbox.ts';
import { runWorkflow } from '../../testbed/workflow.ts';

const repoDir = join(import.meta.dirname, '../../testbed/fixtures/hello');
const workflowFile = join(repoDir, 'workflow.yml');

test('a workflow runs a node24 action: inputs, outputs, environment, state, post', async () => {
  await using sandbox = await startSandbox();
  const { code, log } = await runWorkflow(sandbox, {
    workflowFile,
    repoDir,
    env: { WHO: 'gVisor' },
  });
  expect(log).toContain('output: hello gVisor from node 24.');
  expect(log).toContain('env: yes');
  expect(log).toContain('"path":"/from-a-step"');
  expect(log).toContain('post step: greeted yes');
  expect(code).toBe(0);
});

test('a workflow runs as a user other than root', async () => {
  await using sandbox = await startSandbox({ user: { uid: 1001, gid: 1001 } });
  const { code, log } = await runWorkflow(sandbox, {
    workflowFile,
    repoDir,
    env: { WHO: 'gVisor' },
  });
  expect(log).toContain('hello gVisor');
  expect(code).toBe(0);
});

test('a failing step is a failing workflow', async () => {
  await using sandbox = await startSandbox();
  const { code, log } = await runWorkflow(sandbox, { workflowFile, repoDir });
  expect(log).toContain('hello  from node 24.');
  expect(code).not.toBe(0);
});
