import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input; without it the command reads end of file. */
  input?: string | Uint8Array;
}

/**
 * Runs a host command to its end and returns its standard output.
 * @throws with the whole standard error when it cannot start or does not exit with 0.
 */
export async function command(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const [file, ...args] = argv;
  const child = spawn(file!, args, { cwd: options.cwd, env: options.env ?? process.env });
  const exit = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : signal ? `killed by ${signal}` : `exit code ${code}`),
    );
  });
  // A command that does not read its input closes it early; its exit code tells all that matters.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const [stdout, stderr, failure] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exit,
  ]);
  if (failure) throw new Error(`Failed to run ${argv.join(' ')}: ${failure}\n${stderr}`.trimEnd());
  return stdout;
}
