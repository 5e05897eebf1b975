import { join } from 'node:path';
import { readJson, replaceOwn } from '../files.ts';
import type { Mode } from '../mode.ts';

/** What later commands need to know of a cluster that was started. */
export interface ClusterRecord {
  readonly mode: Mode;
  /** Of the k3s binary, such as v1.36.2+k3s1. */
  readonly version: string;
  /** The API server's address for the runner. */
  readonly server: string;
  /** The kubeconfig for the runner, by its absolute path. */
  readonly kubeconfig: string;
  /** Empty in mode control-plane. */
  readonly nodeName: string;
  /** The directory of the programs that k3s has unpacked, `kubectl` and `ctr` among them. */
  readonly bin: string;
}

const fileOf = (directory: string): string => join(directory, 'cluster.json');

/** Written beside the run's state, and gone with it. */
export async function saveRecord(directory: string, record: ClusterRecord): Promise<void> {
  await replaceOwn(fileOf(directory), JSON.stringify(record, undefined, 2));
}

/** @returns undefined where no cluster has become ready */
export async function loadRecord(directory: string): Promise<ClusterRecord | undefined> {
  return (await readJson(fileOf(directory))) as ClusterRecord | undefined;
}
