/**
 * Runs in the sandbox, on its Node: reads groups of commands from the file of the first argument,
 * runs the groups one after the other and what is in a group side by side, and writes what they
 * did to the file of the second.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

export interface Command {
  argv: readonly string[];
  env?: Readonly<Record<string, string>>;
  stdin?: string;
  /** Kill it with SIGKILL after so many milliseconds. */
  killAfter?: number;
}

export interface Outcome {
  /** Null when it was killed. */
  code: number | null;
  stdout: string;
  stderr: string;
  milliseconds: number;
}

function run({ argv, env = {}, stdin = '', killAfter }: Command): Promise<Outcome> {
  const [file = '', ...args] = argv;
  const started = performance.now();
  const child = spawn(file, args, { env: { ...process.env, ...env } });
  const timer =
    killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  const outcome: Outcome = { code: null, stdout: '', stderr: '', milliseconds: 0 };
  child.stdout.on('data', (chunk: Buffer) => (outcome.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (outcome.stderr += chunk.toString()));
  // One that was killed does not read what is written to it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ ...outcome, code, milliseconds: performance.now() - started });
    });
  });
}

if (import.meta.main) {
  const [, , from = '', to = ''] = process.argv;
  const groups = JSON.parse(readFileSync(from, 'utf8')) as Command[][];
  const outcomes: Outcome[][] = [];
  for (const group of groups) outcomes.push(await Promise.all(group.map(run)));
  writeFileSync(to, JSON.stringify(outcomes));
}
