/**
 * `make demo`: a real gVisor sandbox, a real workflow with `uses: ./` in it, a real chart installed
 * and tested. Ends with the proof on screen, and with the workflow's exit code.
 */
import { join } from 'node:path';

import { startClusterSandbox } from './testbed/cluster.ts';
import { runWorkflow } from './testbed/workflow.ts';

const ROOT = join(import.meta.dirname, '..');

const profile = process.env['PROFILE'] === 'privileged' ? 'privileged' : 'stock';
console.log(`Starting a gVisor sandbox, profile ${profile}`);
await using sandbox = await startClusterSandbox({ profile });
const { stdout } = await sandbox.exec(['uname', '-a']);
console.log(`The sandbox is ${sandbox.name}: ${stdout.trim()}`);

const begin = performance.now();
const { code } = await runWorkflow(sandbox, {
  workflowFile: join(ROOT, 'test/e2e/workflows/chart.yml'),
  repoDir: ROOT,
  onLog: (chunk) => process.stdout.write(chunk),
});
const took = ((performance.now() - begin) / 1000).toFixed(1);
console.log(
  code === 0
    ? `\nIt works: the chart was installed and tested in gVisor (${profile}), ${took} s for the whole workflow.`
    : `\nIt failed with exit code ${code} after ${took} s; the log above says why.`,
);
process.exitCode = code;
