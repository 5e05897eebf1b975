import { join } from 'node:path';
import { NOTHING_KNOWN } from '../cluster/diagnose.ts';
import { exists } from '../files.ts';
import { runPaths } from '../layout.ts';
import { findInit } from '../namespaces/find-init.ts';
import { redactor } from '../redact.ts';
import type { Ended } from './events.ts';
import { examine } from './examine.ts';
import { describeExit, readExits, type Exit } from './exits.ts';
import { loadRecord } from './record.ts';
import type { RunState } from './state.ts';

/** What was waited for when a job goes on with its cluster: findCauses' name of "any time after". */
export const LATER = 'later';

/**
 * How a run is before it is ended: whether its processes are there, and whether the cluster is well. Changes
 * nothing, and takes a second where all is well.
 */
export async function findEnd(directory: string, state: RunState): Promise<Ended> {
  if ((await loadRecord(directory)) === undefined) {
    return { how: 'unused', exits: [], warning: undefined, ...NOTHING_FOUND };
  }
  return examineRun(directory, state);
}

/** The same of any run, whether it became ready or not. */
export async function examineRun(directory: string, state: RunState): Promise<Ended> {
  const { launchFile, logs } = runPaths(directory);
  const isRunning = (await findInit(launchFile)) !== undefined;
  const exits = await readExits(logs);
  const said = exits.map(describeExit);
  const kubeconfig = state.kubeconfig ?? join(directory, 'kubeconfig');
  const found = await examine({
    kubeconfig: isRunning && (await exists(kubeconfig)) ? kubeconfig : undefined,
    ...{ logs, said, rung: LATER },
    redact: redactor(state.secrets ?? []),
  });
  const warning = warn(isRunning, exits, found.diagnosis.nodes, found.diagnosis.unknown);
  return { how: isRunning ? 'running' : 'ended', exits: said, warning, ...found };
}

const NOTHING_FOUND = { diagnosis: NOTHING_KNOWN, causes: [], logs: [] };

/** Pods that are not ready are no reason: a job may leave its own as it likes. */
function warn(
  isRunning: boolean,
  exits: readonly Exit[],
  nodes: readonly string[],
  unknown: readonly string[],
): string | undefined {
  const said = exits.map(describeExit).join(', ');
  if (!isRunning) {
    return `The cluster ended before the job did: ${said === '' ? 'its first process was killed' : said}`;
  }
  if (exits.length > 0) {
    return `Parts of the cluster ended during the job, and were started again: ${said}`;
  }
  const trouble = [...nodes, ...unknown];
  return trouble.length === 0
    ? undefined
    : `The cluster was not well at the end of the job: ${trouble.join('; ')}`;
}
