import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../errors.ts';
import { exists } from '../files.ts';
import { prepareImages } from '../images/preparation.ts';
import { runPaths } from '../layout.ts';
import { findInit, send } from '../namespaces/find-init.ts';
import { removeGroupsMapped } from './mapped.ts';
import { removeKubeconfig } from './parents.ts';
import { removeCgroups } from './pod-cgroups.ts';
import { writeBundle } from './bundle.ts';
import type { RunEvents } from './events.ts';
import { findEnd } from './find-end.ts';
import { loadState, stateFile, stopFile, type RunState } from './state.ts';

/** init gives its processes 3 s before it kills them. */
const TERM_MS = 15_000;
const POLL_MS = 20;

/**
 * Ends a run and removes what it made, but for its logs and its bundle: the end of init is the end of every
 * process, mount, link and rule of the run's namespaces.
 * @param directory the run's own directory
 * @param events is told how the run was found, and why images could not be prepared for the next start; it
 *   ends all the same
 * @returns false if there was nothing to stop
 */
export async function stop(
  directory: string,
  events: Pick<RunEvents, 'ended' | 'warning'>,
): Promise<boolean> {
  const state = await loadState(directory);
  if (state === undefined) {
    return false;
  }
  const { launchFile, logs, bundle } = runPaths(directory);
  await tell(directory, state, events);
  const marker = stopFile(directory);
  // Where a disk is full, all that can come of it is a warning too many.
  await writeFile(marker, '').catch(() => undefined);
  await endInit(launchFile);
  if (state.preparation !== undefined) {
    // A stop that was killed on the way may have left its importer running.
    await endInit(state.preparation.launchFile);
    await prepareImages(state.preparation).catch((error: unknown) => {
      events.warning(errorMessage(error));
    });
  }
  await removeKubeconfig(state);
  const own = (await readdir(directory)).map((name) => join(directory, name));
  // The state goes last: a stop that fails on the way, or is killed, can be repeated.
  const file = stateFile(directory);
  for (const path of [
    ...state.files,
    ...own.filter((path) => ![logs, bundle, file, marker].includes(path)),
  ]) {
    await rm(path, { recursive: true, force: true });
  }
  const { cgroups, idMapper } = state;
  await removeCgroups(
    cgroups,
    idMapper && ((paths) => removeGroupsMapped(paths, idMapper, directory)),
  );
  // Another stop may have been quicker.
  await rm(file, { force: true });
  await rm(marker, { force: true });
  return true;
}

/** What cannot be told must not keep anything from being ended. */
export async function tell(
  directory: string,
  state: RunState,
  events: Pick<RunEvents, 'ended' | 'warning'>,
): Promise<void> {
  try {
    const ended = await findEnd(directory, state);
    if (await isStopping(directory)) {
      return;
    }
    events.ended(ended);
    if (ended.warning !== undefined) {
      await writeBundle(directory, ended);
    }
  } catch (error) {
    events.warning(errorMessage(error));
  }
}

/** Whether another stop has begun to end what was looked at: it looks like a cluster that died. */
async function isStopping(directory: string): Promise<boolean> {
  return (await exists(stopFile(directory))) || !(await exists(stateFile(directory)));
}

async function endInit(launchFile: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const pid = await findInit(launchFile);
    if (pid === undefined || !send(pid, signal)) {
      return;
    }
    await gone(launchFile);
  }
  const pid = await findInit(launchFile);
  if (pid !== undefined) {
    throw new Error(`Failed to end init (pid ${pid}): it is still there after SIGKILL`);
  }
}

/** Not our child in the post step, so its end can only be looked for. */
async function gone(launchFile: string): Promise<void> {
  const deadline = performance.now() + TERM_MS;
  while (performance.now() < deadline && (await findInit(launchFile)) !== undefined) {
    await delay(POLL_MS);
  }
}
