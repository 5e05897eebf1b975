import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorMessage } from '../errors.ts';
import { run } from '../exec.ts';
import { exists } from '../files.ts';
import { removeStale } from '../supply/stale.ts';
import { K3S_DATA, type Layout } from '../layout.ts';
import { startInit } from '../namespaces/init.ts';
import { send } from '../namespaces/find-init.ts';
import type { Launch, Operation, Step } from '../namespaces/operations.ts';
import { INDEX } from './prepared.ts';

/** What is left to do when the cluster is gone: the images of this run, for the next one. */
export interface Preparation extends Pick<Layout, 'native' | 'logs' | 'launchFile'> {
  /** Where the importer puts what it makes; of the run's own. */
  readonly made: string;
  /** Where it is kept. */
  readonly directory: string;
}

/** A plan, as far as the importer needs what a cluster does. */
export interface Ground {
  readonly groundwork: readonly Step[];
  readonly launch: Launch;
}

const NAME = 'importer';
const PARTIAL = '.partial-';
const LIMIT_MS = 120_000;
/** init gives its processes 10 s before it kills them. */
const TERM_MS = 15_000;

/** The plan's namespaces and file systems, and in them the importer instead of a cluster. */
export function preparationLaunch(
  plan: Ground,
  layout: Layout,
  tars: readonly string[],
  made: string,
): Launch {
  const argv = [
    ...[layout.node, layout.importer, '--bin', join(K3S_DATA, 'data', 'current', 'bin')],
    // In memory, as the cluster's own: containerd's upper layers have to be.
    ...['--work', join(K3S_DATA, NAME), '--target', made, ...tars],
  ];
  const operations: Operation[] = [
    ['process', NAME, 'essential', join(layout.logs, `${NAME}.log`)],
    ...argv.map((value): Operation => ['argument', NAME, value]),
    ['start', NAME],
    ['ready'],
  ];
  return {
    ...plan.launch,
    steps: [
      ...plan.groundwork,
      { id: NAME, reason: 'imports and unpacks the images for the next start', operations },
    ],
  };
}

/**
 * Prepares the images, and keeps them for later runs.
 * @throws if the importer fails or takes longer than two minutes, or if they cannot be kept
 */
export async function prepareImages(preparation: Preparation): Promise<void> {
  const { made, directory, logs } = preparation;
  // What an attempt that was killed on the way has made.
  await rm(made, { recursive: true, force: true });
  // For root's eyes: images may hold set-uid programs of whoever made them.
  await mkdir(made, { mode: 0o700 });
  const init = await startInit(preparation);
  const limits = [
    [LIMIT_MS, 'SIGTERM'],
    [LIMIT_MS + TERM_MS, 'SIGKILL'],
  ] as const;
  const timers = limits.map(([ms, signal]) =>
    setTimeout(() => {
      send(init.pid, signal);
    }, ms),
  );
  const how = await init.launched.then(() => init.ended, errorMessage);
  await init.ended;
  timers.forEach(clearTimeout);
  if (!(await exists(join(made, INDEX)))) {
    throw new Error(`Failed to prepare images: ${how}; see ${join(logs, `${NAME}.log`)}`);
  }
  await keep(made, directory);
}

/** By rename, so that another job finds all of it or nothing; the two may be on different file systems. */
async function keep(made: string, directory: string): Promise<void> {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  await removeStale(parent, '');
  const partial = join(parent, `${PARTIAL}${process.pid}`);
  try {
    await run(['mv', made, partial]);
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
