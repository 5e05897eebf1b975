import { lstat, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists, readJson, replaceOwn, writeOwn } from '../files.ts';
import type { Reach } from './events.ts';
import type { Decided } from './fit.ts';

/** The name of the run that is started before the job, for the job's action to adopt. */
export const FOR_ACTION = 'for-action';

/** A cluster that was started before the job, and what it was asked to be. */
export interface Offer {
  readonly decided: Decided;
  readonly reach: Reach;
  /** The archives that were loaded, as `stampOf` tells one from another. */
  readonly archives: readonly string[];
  readonly pulled: readonly string[];
}

/**
 * Where that run is: whoever starts it, an entrypoint or a hook, has another HOME and no RUNNER_TEMP. One
 * for each user, and for each container with a /tmp of its own.
 */
export function offerDirectory(): string {
  return join('/tmp', `k3s-in-gvisor-${process.getuid?.() ?? 0}`, FOR_ACTION);
}

/**
 * Everybody may make a directory in /tmp, and a kubeconfig of another user is another user's cluster.
 * @returns why the directory is not to be trusted; undefined if it is, or is not there
 */
export async function whyForeign(directory: string): Promise<string | undefined> {
  const parent = dirname(directory);
  const found = await lstat(parent).catch(() => undefined);
  return found === undefined ||
    (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0)
    ? undefined
    : `${parent} is not a directory that belongs to this user alone (mode 0700)`;
}

const startingFile = (directory: string): string => join(directory, 'starting');
const offerFile = (directory: string): string => join(directory, 'offer.json');
const takenFile = (directory: string): string => join(directory, 'taken.json');

/** Says that this process is about to make an offer, which whoever comes meanwhile waits for. */
export async function announceOffer(directory: string): Promise<void> {
  await writeOwn(startingFile(directory), String(process.pid));
}

/** Whether a process that announced an offer is still about to make it. */
export async function isAnnounced(directory: string): Promise<boolean> {
  const pid = await readFile(startingFile(directory), 'utf8').catch(() => undefined);
  return pid !== undefined && (await exists(`/proc/${pid}`));
}

export async function makeOffer(directory: string, offer: Offer): Promise<void> {
  await replaceOwn(offerFile(directory), JSON.stringify(offer));
  await rm(startingFile(directory), { force: true });
}

/** @returns undefined where nothing is offered, or somebody has taken it */
export async function readOffer(directory: string): Promise<Offer | undefined> {
  return (await readJson(offerFile(directory))) as Offer | undefined;
}

/** Of several that try, one succeeds: a cluster serves one action at a time. */
export async function takeOffer(directory: string): Promise<boolean> {
  return rename(offerFile(directory), takenFile(directory)).then(
    () => true,
    () => false,
  );
}

/** Offers again what was taken. */
export async function returnOffer(directory: string): Promise<void> {
  await rename(takenFile(directory), offerFile(directory));
}
