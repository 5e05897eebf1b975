import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorMessage } from './errors.ts';

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Kills the program when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** How long the program may take. */
  readonly timeoutMs?: number;
}

/**
 * What a program may know of this one's environment: nothing of the job's, which has its tokens in it.
 * By RUNNER_TRACKING_ID the runner finds what a job that was killed left running.
 */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'RUNNER_TRACKING_ID'];

/** An environment that has nothing of the job in it. */
export function bareEnvironment(names: readonly string[] = INHERITED): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

interface ExecError extends Error {
  readonly code?: number | string | null;
  readonly signal?: NodeJS.Signals | null;
  readonly killed?: boolean;
  readonly stderr?: string;
}

/**
 * Runs a program to its end and returns what it printed on stdout. `argv` is what the program gets: no
 * shell and no command line is involved, so blanks and quotes are what they are.
 * @throws with the command, its exit code and the end of its stderr if it fails
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program = '', ...args] = argv;
  const { cwd, signal, timeoutMs = 0 } = options;
  try {
    const running = promisify(execFile)(program, args, {
      cwd,
      signal,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      env: { ...bareEnvironment(), ...options.env },
      maxBuffer: Infinity,
    });
    running.child.stdin?.end();
    return (await running).stdout;
  } catch (error) {
    throw new Error(
      `Failed to run ${argv.join(' ')}: ${reasonOf(error as ExecError, signal, timeoutMs)}`,
      { cause: error },
    );
  }
}

function reasonOf(error: ExecError, signal: AbortSignal | undefined, timeoutMs: number): string {
  if (signal?.aborted === true) {
    return errorMessage(signal.reason);
  }
  if (error.killed === true) {
    return `it took longer than ${timeoutMs / 1_000} s`;
  }
  const said = (error.stderr ?? '').trim().slice(-2_000);
  if (typeof error.code === 'number') {
    return `exit code ${error.code}: ${said}`;
  }
  return error.signal ? `${error.signal}: ${said}` : errorMessage(error);
}
