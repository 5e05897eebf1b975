import { readdir, readFile } from 'node:fs/promises';

/**
 * The pid of init's outer process, known by its launch file: the path is the run's own, so unlike a
 * saved pid it cannot be another process's, and it is found even if nobody lived to save a pid.
 * @returns undefined if it has ended (a zombie has no command line)
 */
export async function findInit(launchFile: string): Promise<number | undefined> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const argv = await read(`/proc/${name}/cmdline`);
      return argv.split('\0').includes(launchFile) ? name : undefined;
    }),
  );
  const pids = found.filter((name) => name !== undefined);
  // The first process inside is its child and has the same command line.
  for (const pid of pids) {
    const parent = /^PPid:\s+(\d+)$/m.exec(await read(`/proc/${pid}/status`))?.[1];
    if (parent !== undefined && !pids.includes(parent)) {
      return Number(pid);
    }
  }
  return undefined;
}

/**
 * The pid, as seen from outside, of the first process of a run's namespaces.
 * @param init init's outer process
 */
export async function innerInit(init: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const stat = await read(`/proc/${pid}/stat`);
    // The second field is the program's name in parentheses and may hold anything.
    const [, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(ppid) === init) {
      return Number(pid);
    }
  }
  throw new Error(
    `Failed to find the first process of the namespaces: init (${init}) has no child`,
  );
}

/**
 * The root directory of a run's namespaces, as seen from outside: no process of ours is needed within.
 * @param init init's outer process
 */
export async function nodeRoot(init: number): Promise<string> {
  return `/proc/${await innerInit(init)}/root`;
}

/** A process may end between being listed and being read. */
function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** @returns false if the process had ended meanwhile; gVisor says so of a zombie, too */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') {
      return false;
    }
    throw error;
  }
}
