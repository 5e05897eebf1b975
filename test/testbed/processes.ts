import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** A process that cannot be mistaken for a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks from boot to its start. */
  startTime: string;
}

/** @throws when there is no such process. */
export function identify(pid: number): ProcessIdentity {
  const startTime = readStartTime(pid);
  if (startTime === undefined) throw new Error(`Failed to identify process ${pid}: it is gone`);
  return { pid, startTime };
}

export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return readStartTime(pid) === startTime;
}

/** Ends a process with SIGKILL and waits until it is gone; one already gone is no error. */
export async function kill(identity: ProcessIdentity): Promise<void> {
  if (isAlive(identity)) process.kill(identity.pid, 'SIGKILL');
  await gone(identity);
}

/** Waits for the end of a process that may be no child of this one. */
export async function gone(identity: ProcessIdentity): Promise<void> {
  // Polled, because Node offers no pidfd.
  while (isAlive(identity)) await setTimeout(5);
}

/** Ids of the children of a process's main thread. */
export function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/** Start time of a living process; a zombie counts as gone. */
function readStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field, the command in parentheses, may itself hold spaces and parentheses.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : rest[18];
}
