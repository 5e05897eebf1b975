import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layout } from '../layout.ts';

/** The variable by which the command line, in later steps of a job, finds the run of the action. */
export const RUN_VARIABLE = 'K3S_IN_GVISOR_RUN';

/**
 * Makes a directory for the PATH of later steps that holds the command line, run by the Node that
 * runs this: a runner need not have one of its own.
 */
export async function writeCommand({ state, node, commandLine }: Layout): Promise<string> {
  const directory = join(state, 'bin');
  await mkdir(directory, { recursive: true });
  await writeFile(
    join(directory, 'k3s-in-gvisor'),
    `#!/bin/sh\nexec ${quote(node)} ${quote(commandLine)} "$@"\n`,
    { mode: 0o755 },
  );
  return directory;
}

/** A word of the shell, whatever is in it. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
