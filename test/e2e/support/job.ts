import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

import type { ExecOptions, ExecResult } from '../../testbed/exec.ts';
import type { Sandbox } from '../../testbed/sandbox.ts';

export const ROOT = join(import.meta.dirname, '../../..');

/** Where the action and the runner's own directories are in the sandbox; any user may write there. */
const WORK = '/home/runner/_work';
export const ACTION = `${WORK}/_actions/k3s-in-gvisor`;
export const RUNNER_TEMP = `${WORK}/_temp`;
export const TOOL_CACHE = `${WORK}/_tool`;
/** The files through which a step and the runner talk. */
export const RUNNER_FILES = `${WORK}/_runner`;
export const WORKSPACE = `${WORK}/repository`;

/** Where a runner keeps its directories, and its Node. */
export interface Places {
  readonly action: string;
  readonly temp: string;
  readonly tools: string;
  readonly workspace: string;
  readonly node: string;
}

const OWN: Places = {
  action: ACTION,
  temp: RUNNER_TEMP,
  tools: TOOL_CACHE,
  workspace: WORKSPACE,
  node: 'node',
};

/** In a job's own container the runner's directories are mounted at the root, its Node with them. */
export const JOB_CONTAINER_PLACES: Places = {
  action: '/__w/_actions/k3s-in-gvisor/k3s-in-gvisor/v1',
  temp: '/__w/_temp',
  tools: '/__t',
  workspace: '/__w/repository/repository',
  node: '/__e/node24/bin/node',
};

const FILES = ['OUTPUT', 'ENV', 'PATH', 'STATE', 'STEP_SUMMARY'] as const;
type RunnerFile = (typeof FILES)[number];

export interface MainOptions {
  /** Over the defaults of action.yml. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line of the step's log, as it is written. */
  readonly onLine?: (line: string) => void;
}

export interface StepResult {
  readonly code: number;
  readonly log: string;
}

/**
 * One job with one step that uses the action, without a workflow around it: the main step, other
 * steps, the post step, with the environment and the files that GitHub's runner gives to each.
 */
export class Job {
  readonly #sandbox: Sandbox;
  readonly #places: Places;
  /** What the action exported for later steps. */
  outputs: Readonly<Record<string, string>> = {};
  env: Readonly<Record<string, string>> = {};
  path: readonly string[] = [];
  state: Readonly<Record<string, string>> = {};
  summary = '';

  private constructor(sandbox: Sandbox, places: Places) {
    this.#sandbox = sandbox;
    this.#places = places;
  }

  static async create(sandbox: Sandbox, change: Partial<Places> = {}): Promise<Job> {
    const places = { ...OWN, ...change };
    const { action, temp, tools, workspace } = places;
    for (const directory of ['dist', 'native', 'examples']) {
      await sandbox.copyIn(join(ROOT, directory), `${action}/${directory}`);
    }
    await sandbox.copyIn(join(ROOT, 'action.yml'), action);
    await sandbox.copyIn(join(ROOT, 'package.json'), action);
    const job = new Job(sandbox, places);
    await job.must(['mkdir', '-p', RUNNER_FILES, temp, tools, workspace]);
    return job;
  }

  /** The main step. What it wrote to the runner's files is read even when it fails. */
  async main({ inputs = {}, env = {}, onLine }: MainOptions = {}): Promise<StepResult> {
    await this.must(['sh', '-c', 'for f; do : >"$f"; done', 'sh', ...FILES.map(fileOf)]);
    const result = await this.#step('main', { ...(await inputEnv(inputs)), ...env }, onLine);
    await this.#readFiles();
    return result;
  }

  /** The main step, for tests that need it to succeed. @throws with its log if it does not */
  async mustMain(options: MainOptions = {}): Promise<StepResult> {
    const result = await this.main(options);
    if (result.code !== 0) throw new Error(`main ended with ${result.code}:\n${result.log}`);
    return result;
  }

  post(): Promise<StepResult> {
    const state = Object.entries(this.state).map(([key, value]) => [`STATE_${key}`, value]);
    return this.#step('post', Object.fromEntries(state) as Record<string, string>);
  }

  /** Signals the main step's process. */
  async signalMain(signal: 'INT' | 'TERM' | 'KILL'): Promise<void> {
    await this.must(['sh', '-c', 'kill -s "$1" "$(cat "$2")"', 'sh', signal, PID_FILE]);
  }

  /** A later step. */
  exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    // The runner puts what a step added to the path in front of it for the steps after.
    const withPath = ['sh', '-c', 'PATH="$1:$PATH"; shift; exec "$@"', 'sh', this.path.join(':')];
    return this.#sandbox.exec([...(this.path.length === 0 ? [] : withPath), ...argv], {
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** A later step's command and what it printed. @throws if its code is not 0 */
  async must(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(argv, options);
    if (code !== 0) {
      throw new Error(`Failed to run ${argv.join(' ')}: code ${code}\n${stdout}\n${stderr}`);
    }
    return stdout;
  }

  async #step(
    name: 'main' | 'post',
    env: Readonly<Record<string, string>>,
    onLine?: (line: string) => void,
  ): Promise<StepResult> {
    const log: Buffer[] = [];
    let rest = '';
    const { action, temp, tools, workspace, node } = this.#places;
    const environment = {
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      RUNNER_TEMP: temp,
      RUNNER_TOOL_CACHE: tools,
      ...Object.fromEntries(FILES.map((file) => [`GITHUB_${file}`, fileOf(file)])),
      ...env,
    };
    const { code } = await this.#sandbox.exec(
      [
        ...['sh', '-c', 'echo $$ >"$1"; shift; exec "$@"', 'sh', PID_FILE],
        // Not the shell's: it drops names with dashes, such as INPUT_K3S-PATH.
        ...['env', ...Object.entries(environment).map((entry) => entry.join('='))],
        ...[node, `${action}/dist/action/${name}.js`],
      ],
      {
        cwd: workspace,
        onOutput: (chunk) => {
          log.push(chunk);
          const lines = (rest + chunk.toString()).split('\n');
          rest = lines.pop() ?? '';
          lines.forEach((line) => onLine?.(line));
        },
      },
    );
    return { code, log: Buffer.concat(log).toString() };
  }

  async #readFiles(): Promise<void> {
    const read = async (file: RunnerFile): Promise<string> => this.must(['cat', fileOf(file)]);
    this.outputs = parseValues(await read('OUTPUT'));
    this.env = parseValues(await read('ENV'));
    this.state = parseValues(await read('STATE'));
    this.path = (await read('PATH')).split('\n').filter(Boolean).reverse();
    this.summary = await read('STEP_SUMMARY');
  }
}

const PID_FILE = `${RUNNER_FILES}/pid`;
const fileOf = (file: RunnerFile): string => `${RUNNER_FILES}/${file.toLowerCase()}`;

/** As the runner does: each input of action.yml, with its default where the step gives none. */
async function inputEnv(given: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const { inputs } = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as {
    inputs: Record<string, { default?: string }>;
  };
  const unknown = Object.keys(given).find((name) => !(name in inputs));
  if (unknown !== undefined) throw new Error(`action.yml has no input ${unknown}`);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      `INPUT_${name.toUpperCase()}`,
      given[name] ?? input.default ?? '',
    ]),
  );
}

/** `NAME<<DELIMITER`, lines, `DELIMITER`: what @actions/core writes to the runner's files. */
function parseValues(text: string): Record<string, string> {
  const entries = text.matchAll(/^(.+?)<<(.+)\n([^]*?)\n\2$/gm);
  return Object.fromEntries([...entries].map(([, name = '', , value = '']) => [name, value]));
}
