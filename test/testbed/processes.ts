import { readFileSync } from 'node:fs';

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
