import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Moment } from '../../src/run/timeline.ts';
import { startClusterSandbox, IMAGES_PATH, K3S_PATH } from '../testbed/cluster.ts';
import type { ClusterSandboxOptions } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';

const ROOT = join(import.meta.dirname, '../..');
/** As it is shipped, where the sandbox finds it. */
export const ACTION_PATH = '/opt/action';
/** What outlives a run. */
export const TOOL_CACHE = '/root/.cache/k3s-in-gvisor';
/** Where the command line keeps the cluster of no other name. */
export const STATE = '/root/.local/state/k3s-in-gvisor/default';
const KUBECONFIG = `${STATE}/kubeconfig`;
const CLI = ['node', `${ACTION_PATH}/dist/cli/index.js`];

export interface Timed {
  stdout: string;
  /** How long it ran, by a clock inside the sandbox: entering a gVisor sandbox takes its time. */
  ms: number;
}

/** The action in a sandbox, by its command line: the same code as in a workflow, nothing around it. */
export interface Action extends AsyncDisposable {
  sandbox: Sandbox;
  /** Starts a cluster, and returns when each stage was reached, in ms since the start. */
  start(): Promise<ReadonlyMap<string, number>>;
  /** Ends the cluster and cleans up. */
  stop(): Promise<Timed>;
  /** Runs a command as a workflow's step would. @throws unless it exits with 0 */
  step(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<Timed>;
  /** What a step finds in its environment once a cluster runs. */
  environment(): { PATH: string; KUBECONFIG: string };
  /** Runs a command in the node's namespaces, as root there. @throws unless it exits with 0 */
  node(argv: readonly string[]): Promise<Timed>;
}

export interface ActionOptions extends ClusterSandboxOptions {
  /** Options of `start`, beside those that every start has. */
  inputs?: readonly string[];
}

/** A sandbox with the action copied in from `dist/`; no cluster runs yet. */
export async function startAction({ inputs = [], ...options }: ActionOptions): Promise<Action> {
  const sandbox = await startClusterSandbox(options);
  try {
    await copyAction(sandbox);
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
  // Steps find kubectl as they do after the action: first in the PATH.
  let tools = '';
  const environment = () => ({
    KUBECONFIG,
    PATH: `${tools}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin`,
  });
  const step: Action['step'] = (argv, extra) =>
    timed(sandbox, argv, { ...environment(), ...extra });
  return {
    sandbox,
    async start() {
      await step([...CLI, 'start', ...START, ...inputs]);
      tools = (await step(['sh', '-c', `echo ${TOOL_CACHE}/given/*/unpacked-*/bin`])).stdout.trim();
      const { stdout } = await step(['cat', `${STATE}/logs/timeline.json`]);
      return new Map((JSON.parse(stdout) as Moment[]).map(({ name, at }) => [name, at]));
    },
    stop: () => step([...CLI, 'stop']),
    step,
    environment,
    async node(argv) {
      const { stdout } = await step(['pgrep', '--exact', '--full', '\\S+/k3s server']);
      return step(['nsenter', '--target', stdout.trim(), '--all', '--', ...argv]);
    },
    [Symbol.asyncDispose]: () => sandbox.stop(),
  };
}

const START = ['--k3s-path', K3S_PATH, '--images', `${IMAGES_PATH}/*.tar`, '--mode', 'full'];

async function copyAction(sandbox: Sandbox): Promise<void> {
  const tree = await mkdtemp(join(tmpdir(), 'action-'));
  try {
    for (const entry of ['action.yml', 'package.json', 'dist', 'examples']) {
      await cp(join(ROOT, entry), join(tree, entry), { recursive: true });
    }
    await sandbox.copyIn(tree, ACTION_PATH);
  } finally {
    await rm(tree, { recursive: true });
  }
}

/** Seconds before and after, as bash knows them, on lines around what the command itself prints. */
const STOPWATCH =
  'echo "$EPOCHREALTIME"; "$@"; code=$?; printf "\\n%s\\n" "$EPOCHREALTIME"; exit "$code"';

async function timed(
  sandbox: Sandbox,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Timed> {
  const watched = ['bash', '-c', STOPWATCH, 'bash', ...argv];
  const { code, stdout, stderr } = await sandbox.exec(watched, { env });
  if (code !== 0) {
    throw new Error(
      `Failed to run ${argv.join(' ')} in ${sandbox.name}: exit code ${code}\n${stderr.slice(-4000)}`,
    );
  }
  const lines = stdout.trimEnd().split('\n');
  const [begin, end] = [Number(lines.shift()), Number(lines.pop())];
  return { stdout: lines.join('\n').trimEnd(), ms: (end - begin) * 1000 };
}
