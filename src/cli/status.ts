import { findInit } from '../namespaces/find-init.ts';
import { runPaths } from '../layout.ts';
import { loadRecord, type ClusterRecord } from '../run/record.ts';
import { loadState } from '../run/state.ts';

/** What can be seen of a run from outside. */
export interface Status {
  /** `starting` also holds for one that failed to start and was kept. */
  readonly state: 'none' | 'starting' | 'running' | 'ended';
  readonly directory: string;
  readonly cluster: ClusterRecord | undefined;
}

export async function statusOf(directory: string): Promise<Status> {
  if ((await loadState(directory)) === undefined) {
    return { state: 'none', directory, cluster: undefined };
  }
  const cluster = await loadRecord(directory);
  if ((await findInit(runPaths(directory).launchFile)) !== undefined) {
    return { state: cluster === undefined ? 'starting' : 'running', directory, cluster };
  }
  return { state: cluster === undefined ? 'starting' : 'ended', directory, cluster };
}
