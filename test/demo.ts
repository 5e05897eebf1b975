/**
 * `make demo`: a real gVisor sandbox, a real workflow with `uses: ./` in it, a real chart installed
 * and tested. Takes the official k3s and runsc where their sites can be reached, and builds what the
 * workflow uses, nothing more, where they cannot. Ends with the proof on screen, and with the
 * workflow's exit code.
 */
import { join } from 'node:path';

import { startClusterSandbox } from './testbed/cluster.ts';
import { forDemo } from './testbed/inventory.ts';
import { runLanes } from './testbed/lanes.ts';
import { reachable } from './testbed/releases.ts';
import { runWorkflow } from './testbed/workflow.ts';

const ROOT = join(import.meta.dirname, '..');

process.env['RELEASES'] ??= (await reachable()) ? 'official' : 'build';
const supplied = performance.now();
console.log(
  process.env['RELEASES'] === 'official'
    ? 'Taking the official k3s, runsc, act and helm'
    : 'The release sites of k3s and gVisor cannot be reached: building a stand-in for k3s, runsc, and the tools of the demo',
);
await runLanes(await forDemo(), (line) => {
  console.log(`demo: ${line}`);
});
console.log(`Everything is there after ${seconds(supplied)} s`);

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
const took = seconds(begin);
console.log(
  code === 0
    ? `\nIt works: the chart was installed and tested in gVisor (${profile}), ${took} s for the whole workflow.`
    : `\nIt failed with exit code ${code} after ${took} s; the log above says why.`,
);
process.exitCode = code;

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
