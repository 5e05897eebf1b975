import { copyFile, constants, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { abortAfter } from '../abort.ts';
import { importArchive } from '../cluster/image-archives.ts';
import { assertUnused } from '../cluster/kubeconfig.ts';
import { pullImages } from '../cluster/pull.ts';
import { errorMessage } from '../errors.ts';
import { findImages } from '../images/find.ts';
import type { Inputs } from '../inputs/inputs.ts';
import { readRunnerConfig, withRunnerConfig } from '../inputs/runner-config.ts';
import { withClient } from '../kubernetes/kubeconfig.ts';
import { runPaths } from '../layout.ts';
import { findInit } from '../namespaces/find-init.ts';
import type { Reach, RunEvents } from './events.ts';
import { decidedBy, misfits, type Decided } from './fit.ts';
import {
  isAnnounced,
  makeOffer,
  offerDirectory,
  readOffer,
  returnOffer,
  takeOffer,
  whyForeign,
  type Offer,
} from './offer.ts';
import { loadRecord } from './record.ts';
import { loadState, saveState } from './state.ts';
import { missingParents, removeKubeconfig } from './parents.ts';
import { stop, tell } from './stop.ts';
import { Timeline } from './timeline.ts';

/** The end of another process, no child of this one, can only be looked for. */
const POLL_MS = 100;

/** A cluster that runs answers at once, or is not one to rely on. */
const ANSWER_MS = 5_000;

/** An offer that was taken: nobody else will get it. */
export interface Taken {
  readonly directory: string;
  readonly offer: Offer;
  /** The archives that the inputs name and the cluster has not loaded. */
  readonly missing: readonly string[];
}

/**
 * Takes the cluster that was started before the job, if there is one that answers and is what the
 * inputs want; one that is not is stopped, and the events tell why.
 * @returns undefined where a cluster must be started
 */
export async function takeFitting(inputs: Inputs, events: RunEvents): Promise<Taken | undefined> {
  const directory = offerDirectory();
  const foreign = await whyForeign(directory);
  if (foreign !== undefined) {
    events.warning(`No cluster that was started before the job is looked for: ${foreign}`);
    return undefined;
  }
  await announced(directory, inputs, events);
  const offer = await readOffer(directory);
  if (offer === undefined) {
    return undefined;
  }
  const wishes = await wishesOf(inputs);
  const reasons = await whyUnfit(directory, offer, wishes);
  if (!(await takeOffer(directory))) {
    return undefined;
  }
  if (reasons.length > 0) {
    events.notice(`The cluster that was started before the job is replaced: ${reasons.join('; ')}`);
    await stop(directory, events);
    return undefined;
  }
  const missing = [...wishes.archives]
    .filter(([, stamp]) => !offer.archives.includes(stamp))
    .map(([path]) => path);
  return { directory, offer, missing };
}

/**
 * Makes the cluster the job's: loads the images it lacks, and gives it the kubeconfig that is wanted.
 * @throws Error if an image cannot be loaded, or the kubeconfig cannot be made
 */
export async function adopt(taken: Taken, inputs: Inputs, events: RunEvents): Promise<Reach> {
  const { directory, offer } = taken;
  const timeline = new Timeline();
  const reach = await giveKubeconfig(directory, offer.reach, inputs.kubeconfig);
  events.plan(reach.plan);
  events.kubeconfig(reach);
  events.reached(timeline.mark('cluster adopted'));
  const { signal, clear } = abortAfter(inputs.timeoutMs, 'the timeout passed');
  try {
    if (await loadMissing(taken, inputs.pull, signal)) {
      events.reached(timeline.mark('images loaded'));
    }
  } finally {
    clear();
  }
  events.ready(reach);
  return reach;
}

/** Offers what has just been started to the action of the next job. */
export async function offer(directory: string, inputs: Inputs, reach: Reach): Promise<void> {
  const { decided, archives } = await wishesOf(inputs);
  await makeOffer(directory, {
    decided,
    reach,
    archives: [...archives.values()],
    pulled: inputs.pull,
  });
}

/**
 * Makes room for a cluster to offer: what is left of one that ended goes, and so does one that is not what the
 * inputs want.
 * @returns how to reach the one that is offered already, where it will do
 */
export async function findOffered(inputs: Inputs, events: RunEvents): Promise<Reach | undefined> {
  const directory = offerDirectory();
  const offered = await readOffer(directory);
  const ended = (await findInit(runPaths(directory).launchFile)) === undefined;
  const reasons =
    offered === undefined ? [] : await whyUnfit(directory, offered, await wishesOf(inputs));
  if (offered !== undefined && reasons.length === 0) {
    return offered.reach;
  }
  if (reasons.length > 0) {
    events.notice(`The cluster that was started before is replaced: ${reasons.join('; ')}`);
  }
  // One that was taken and runs is some job's.
  if (offered !== undefined || ended) {
    await stop(directory, events);
  }
  return undefined;
}

/** Leaves an adopted cluster to the next job: what it got of this one is taken back, pods and objects are not. */
export async function leave(directory: string, events: RunEvents): Promise<void> {
  const state = await loadState(directory);
  if (state === undefined) {
    return;
  }
  await tell(directory, state, events);
  await removeKubeconfig(state);
  await saveState(directory, { ...state, kubeconfig: undefined, parents: undefined });
  await returnOffer(directory);
}

/** Waits for a start that is on its way: what is left of it is less than another one takes. */
async function announced(directory: string, inputs: Inputs, events: RunEvents): Promise<void> {
  if (!(await isAnnounced(directory))) {
    return;
  }
  events.waiting({ rung: 'the cluster that is started before the job', last: 'starting' });
  const { signal, clear } = abortAfter(inputs.timeoutMs, 'the timeout passed');
  try {
    while (await isAnnounced(directory)) {
      await delay(POLL_MS, undefined, { signal });
    }
  } finally {
    clear();
  }
}

/** Whether what runs there is what the inputs would start, and answers. */
async function whyUnfit(
  directory: string,
  { decided, reach }: Offer,
  wishes: Wishes,
): Promise<string[]> {
  if ((await findInit(runPaths(directory).launchFile)) === undefined) {
    return ['its processes have ended'];
  }
  const odd = misfits({ mode: reach.plan.mode, k3s: reach.k3s }, decided, wishes.decided);
  if (odd.length > 0) {
    return odd;
  }
  return withClient(reach.kubeconfig, (client) =>
    client.request('GET', '/version', { signal: AbortSignal.timeout(ANSWER_MS) }),
  ).then(
    () => [],
    (error: unknown) => [`its API server does not answer: ${errorMessage(error)}`],
  );
}

interface Wishes {
  readonly decided: Decided;
  /** Each archive's path and stamp. */
  readonly archives: ReadonlyMap<string, string>;
}

async function wishesOf(inputs: Inputs): Promise<Wishes> {
  const runner = await readRunnerConfig();
  const images = await findImages(inputs.images);
  return {
    decided: decidedBy(withRunnerConfig(inputs, runner), runner.manifests),
    archives: new Map(
      await Promise.all(images.map(async (path) => [path, await stampOf(path)] as const)),
    ),
  };
}

/** A file that is written anew has another. */
async function stampOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${path}:${size}:${mtimeMs}`;
}

async function loadMissing(
  { directory, offer, missing }: Taken,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const init = await findInit(runPaths(directory).launchFile);
  const record = await loadRecord(directory);
  if (init === undefined || record === undefined || offer.reach.plan.mode === 'control-plane') {
    return false;
  }
  for (const path of missing) {
    signal.throwIfAborted();
    await importArchive({ init, bin: record.bin }, path);
  }
  const unpulled = wanted.filter((image) => !offer.pulled.includes(image));
  if (unpulled.length > 0) {
    await pullImages(unpulled, init, signal);
  }
  return missing.length + unpulled.length > 0;
}

/** A copy where the job wants it, which goes with the job. */
async function giveKubeconfig(
  directory: string,
  reach: Reach,
  kubeconfig: string | undefined,
): Promise<Reach> {
  const state = await loadState(directory);
  if (kubeconfig === undefined || state === undefined) {
    return reach;
  }
  await assertUnused(kubeconfig);
  await saveState(directory, { ...state, kubeconfig, parents: await missingParents(kubeconfig) });
  await mkdir(dirname(kubeconfig), { recursive: true });
  await copyFile(reach.kubeconfig, kubeconfig, constants.COPYFILE_EXCL);
  return { ...reach, kubeconfig };
}
