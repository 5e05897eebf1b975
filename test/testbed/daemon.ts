import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';

import { exitOf } from './command.ts';
import { identify, type ProcessIdentity } from './processes.ts';

/**
 * Starts a program that outlives this process, and waits until it has printed "ready". Its
 * standard error goes to the log.
 * @throws with the log when it ends before that.
 */
export async function startDaemon(argv: readonly string[], log: string): Promise<ProcessIdentity> {
  await using stderr = await open(log, 'a');
  const [file = '', ...args] = argv;
  const daemon = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', stderr.fd] });
  const ended = exitOf(daemon).then(
    (code) => `exit code ${code}`,
    (error: unknown) => (error as Error).message,
  );
  // stdio says that there is one; the types cannot tell.
  const stdout = daemon.stdout as Readable;
  const first = await Promise.race([once(stdout, 'data'), ended]);
  if (typeof first === 'string' || daemon.pid === undefined) {
    const said = await readFile(log, 'utf8');
    throw new Error(`Failed to start ${file}: ${String(first)}\n${said}`.trimEnd());
  }
  stdout.destroy();
  daemon.unref();
  return identify(daemon.pid);
}
