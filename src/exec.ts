import { getExecOutput } from '@actions/exec';

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Runs a program to its end and returns what it printed on stdout. Arguments are an array, no shell is involved.
 * @throws with the command, its exit code and the end of its stderr if it fails.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program = '', ...args] = argv;
  const { exitCode, stdout, stderr } = await getExecOutput(program, args, {
    silent: true,
    ignoreReturnCode: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined
      ? {}
      : { env: { ...(process.env as Record<string, string>), ...options.env } }),
  });
  if (exitCode !== 0) {
    throw new Error(
      `Failed to run ${argv.join(' ')}: exit code ${exitCode}: ${stderr.trim().slice(-2_000)}`,
    );
  }
  return stdout;
}
