import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input; without it the command reads end of file. */
  input?: string | Uint8Array;
  /** Also pass its standard error on, as it comes. */
  showProgress?: boolean;
}

/**
 * Runs a host command to its end and returns its standard output.
 * @throws with the whole standard error when it cannot start or does not exit with 0.
 */
export async function command(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { ...options, stdio: 'pipe' });
  // A command that does not read its input closes it early; its exit code tells all that matters.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  if (options.showProgress) child.stderr.pipe(process.stderr, { end: false });
  const [stdout, stderr, failure] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exitOf(child).then(
      (code) => (code === 0 ? undefined : `exit code ${code}`),
      (error: unknown) => (error as Error).message,
    ),
  ]);
  if (failure) throw new Error(`Failed to run ${argv.join(' ')}: ${failure}\n${stderr}`.trimEnd());
  return stdout;
}

/** Starts a host command whose standard streams are files. */
export function spawnCommand(argv: readonly string[], stdio: StdioOptions): ChildProcess {
  const [file = '', ...args] = argv;
  return spawn(file, args, { stdio });
}

/** The exit code. @throws when the process could not be started or was killed by a signal. */
export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === null) reject(new Error(`killed by ${String(signal)}`));
      else resolve(code);
    });
  });
}
