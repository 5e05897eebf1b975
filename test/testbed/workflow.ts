import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import type { Sandbox } from './sandbox.ts';

export interface WorkflowOptions {
  /** Its jobs say `runs-on: ubuntu-latest` and begin with actions/checkout, which act does itself. */
  workflowFile: string;
  /** The repository that holds the action. */
  repoDir: string;
  /** For the workflow's `env` context, and for its steps. */
  env?: Readonly<Record<string, string>>;
  /** Called with the log as it is written. */
  onLog?: (chunk: Buffer) => void;
  signal?: AbortSignal;
}

export interface WorkflowResult {
  code: number;
  /** Everything act printed, in the order it came. */
  log: string;
}

/** What `uses: ./` and a workflow's steps can see of the repository; dist is what is shipped. */
const shipped = ['action.yml', 'dist', 'native', 'examples'];

/** Where GitHub's runner puts it; root and the image's user 1001 can both write there. */
const workspace = '/home/runner/_work/repository';
/** Kept from run to run in one sandbox: the tool cache, and what `@actions/cache` saves. */
const actState = '/home/runner/_work/act';

/** Runs a workflow file inside the sandbox, on the sandbox itself, with the repository's action. */
export async function runWorkflow(
  sandbox: Sandbox,
  options: WorkflowOptions,
): Promise<WorkflowResult> {
  const file = `.github/workflows/${basename(options.workflowFile)}`;
  await copyRepository(sandbox, options, file);
  const chunks: Buffer[] = [];
  const { code } = await sandbox.exec(
    [
      ...['act', 'push', '--workflows', file, '--platform', 'ubuntu-latest=-self-hosted'],
      ...['--action-cache-path', `${actState}/actions`],
      ...['--cache-server-path', `${actState}/cache`],
      ...Object.entries(options.env ?? {}).flatMap((entry) => ['--env', entry.join('=')]),
    ],
    {
      cwd: workspace,
      ...(options.signal ? { signal: options.signal } : {}),
      onOutput: (chunk) => {
        chunks.push(chunk);
        options.onLog?.(chunk);
      },
    },
  );
  return { code, log: Buffer.concat(chunks).toString() };
}

/** Puts a git work tree into the sandbox; act takes the commit and the branch from it. */
async function copyRepository(
  sandbox: Sandbox,
  { repoDir, workflowFile }: WorkflowOptions,
  file: string,
): Promise<void> {
  const tree = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-'));
  try {
    for (const entry of shipped.filter((entry) => existsSync(join(repoDir, entry)))) {
      await cp(join(repoDir, entry), join(tree, entry), { recursive: true });
    }
    await mkdir(join(tree, '.github/workflows'), { recursive: true });
    await cp(workflowFile, join(tree, file));
    await sandbox.exec(['rm', '-rf', workspace]);
    await sandbox.copyIn(tree, workspace);
  } finally {
    await rm(tree, { recursive: true });
  }
  const identity = ['-c', 'user.name=testbed', '-c', 'user.email=testbed@example.org'];
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '--all'],
    [...identity, 'commit', '--quiet', '--message=Work tree of the test'],
  ]) {
    const { code, stderr } = await sandbox.exec(['git', ...args], { cwd: workspace });
    if (code !== 0) throw new Error(`Failed to run git ${args.join(' ')}: ${stderr}`);
  }
}
