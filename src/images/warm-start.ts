import { join } from 'node:path';
import type { RemoteCache, Workshop } from '../supply/supply.ts';
import type { Layout } from '../layout.ts';
import type { Mode } from '../mode.ts';
import type { Launch } from '../namespaces/operations.ts';
import { isImportable } from './import.ts';
import type { Preparation } from './preparation.ts';
import { findPrepared, imagesKey, TAG, type PreparedImages } from './prepared.ts';

/** What earlier runs left for this one, or what this one is to leave for the next. */
export type WarmStart =
  | { readonly kind: 'none' }
  | { readonly kind: 'prepared'; readonly images: PreparedImages }
  | { readonly kind: 'missing'; readonly preparation: Preparation; readonly key: string };

export interface WarmStartOptions {
  readonly mode: Mode;
  /** What the importer is to run in, as the cluster. */
  readonly launch: Pick<Launch, 'mapper' | 'namespaces'>;
  readonly tars: readonly string[];
  /** SHA-256 of the k3s binary. */
  readonly k3s: string;
  readonly layout: Layout;
  readonly remote: RemoteCache | undefined;
  readonly workshop: Workshop;
}

/** Looks the tars up among the images that were prepared before, here or by way of the cache service. */
export async function findWarmStart(options: WarmStartOptions): Promise<WarmStart> {
  const { mode, launch, tars, k3s, layout, remote, workshop } = options;
  const { cache, narrator } = workshop;
  if (mode !== 'full' || tars.length === 0) {
    narrator.notice(
      mode === 'full'
        ? 'warm-start: there is nothing to keep without images or airgap'
        : `warm-start: nothing is kept in mode ${mode}, in which no pods run`,
    );
    return { kind: 'none' };
  }
  if (launch.mapper !== undefined) {
    narrator.notice(
      'warm-start: nothing is kept for a runner that is not root; unpacked images hold files of many users, which it could not remove',
    );
    return { kind: 'none' };
  }
  const unreadable = tars.find((tar) => !isImportable(tar));
  if (unreadable !== undefined) {
    narrator.notice(
      `warm-start: nothing is kept because of ${unreadable}; give tar, tar.gz or tar.zst`,
    );
    return { kind: 'none' };
  }
  const hash = await imagesKey(tars, k3s, launch.namespaces);
  const key = ['k3s-in-gvisor', process.platform, process.arch, TAG, hash].join('-');
  const directory = cache.directory(TAG, hash);
  const here = await findPrepared(directory);
  if (here !== undefined) {
    narrator.info(`warm-start: the images are in the tool cache: ${directory}`);
    return { kind: 'prepared', images: here };
  }
  await cache.drop(directory);
  if (remote !== undefined && (await remote.restore(directory, key))) {
    const restored = await findPrepared(directory);
    if (restored !== undefined) {
      narrator.info(`warm-start: the images came from the cache service: ${key}`);
      return { kind: 'prepared', images: restored };
    }
    narrator.warning(
      `Dropping what the cache service has under ${key}: it is not what was saved; delete that entry ("gh cache delete"), it cannot be replaced`,
    );
    await cache.drop(directory);
  }
  narrator.info('warm-start: these images were not prepared yet; the post step will do so');
  const { native, logs } = layout;
  const preparation = {
    ...{ native, logs, directory },
    launchFile: join(layout.state, 'prepare'),
    made: join(layout.state, 'prepared'),
  };
  return { kind: 'missing', preparation, key };
}
