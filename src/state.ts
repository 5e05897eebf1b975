import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What is needed to end a run and to explain it; saved before the thing it names is made. */
export interface RunState {
  /** The run's own directory. */
  readonly directory: string;
  readonly init: ProcessIdentity | undefined;
  /** Files outside of `directory` that the run wrote. */
  readonly files: readonly string[];
}

/** A pid can be reused, a pid with its start time cannot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTime: string;
}

const FILE = 'run.json';

export async function saveState(state: RunState): Promise<void> {
  await mkdir(state.directory, { recursive: true, mode: 0o700 });
  const path = join(state.directory, FILE);
  await writeFile(`${path}.partial`, JSON.stringify(state, undefined, 2));
  await rename(`${path}.partial`, path);
}

export async function loadState(directory: string): Promise<RunState> {
  return JSON.parse(await readFile(join(directory, FILE), 'utf8')) as RunState;
}

/** @returns undefined if no process has this pid */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in parentheses and may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; it only waits for its parent to hear of it.
  const startTime = fields?.[0] === 'Z' ? undefined : fields?.[19];
  return startTime === undefined ? undefined : { pid, startTime };
}
