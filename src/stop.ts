import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identify, loadState, type ProcessIdentity } from './state.ts';

/** init gives its processes 10 s before it kills them. */
const TERM_MS = 15_000;
const POLL_MS = 20;

/**
 * Ends a run and removes what it made, but for its logs: the end of init is the end of every
 * process, mount, link and rule of the run's namespaces.
 * @param directory the run's own directory
 */
export async function stop(directory: string): Promise<void> {
  const state = await loadState(directory);
  if (state.init !== undefined) {
    await end(state.init);
  }
  for (const path of [...state.files, ...OWN_FILES.map((name) => join(directory, name))]) {
    await rm(path, { recursive: true, force: true });
  }
}

const OWN_FILES = ['launch', 'k3s.yaml', 'gateway.sock', 'scratch', 'run.json'];

async function end(init: ProcessIdentity): Promise<void> {
  for (const [signal, ms] of [
    ['SIGTERM', TERM_MS],
    ['SIGKILL', TERM_MS],
  ] as const) {
    if (!(await isAlive(init))) {
      return;
    }
    if (!send(init.pid, signal)) {
      return;
    }
    await gone(init, ms);
  }
  if (await isAlive(init)) {
    throw new Error(`Failed to end init (pid ${init.pid}): it is still there after SIGKILL`);
  }
}

/** @returns false if the process had ended meanwhile; gVisor says so of a zombie, too */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') {
      return false;
    }
    throw error;
  }
}

async function isAlive(init: ProcessIdentity): Promise<boolean> {
  return (await identify(init.pid))?.startTime === init.startTime;
}

/** Not our child in the post step, so its end can only be looked for. */
async function gone(init: ProcessIdentity, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline && (await isAlive(init))) {
    await delay(POLL_MS);
  }
}
