import * as core from '@actions/core';
import { errorMessage } from '../errors.ts';
import type { RemoteCache } from '../supply/supply.ts';
import { STATE_CACHES } from './state.ts';

interface Entry {
  readonly path: string;
  readonly key: string;
}

/** The service behind actions/cache, where the runner has one. */
export function remoteCache(): RemoteCache | undefined {
  if (!isAvailable()) {
    return undefined;
  }
  const entries: Entry[] = [];
  return {
    restore: async (path, key) => {
      try {
        return (await (await library()).restoreCache([path], key)) === key;
      } catch (error) {
        core.warning(`Failed to ask the cache service for ${key}: ${errorMessage(error)}`);
        return false;
      }
    },
    saveLater: (path, key) => {
      entries.push({ path, key });
      core.saveState(STATE_CACHES, entries);
    },
  };
}

/** Saves what the main step fetched. A cache that is full or read-only is a warning, the job's result stands. */
export async function saveCaches(): Promise<void> {
  const saved = core.getState(STATE_CACHES);
  for (const { path, key } of saved === '' ? [] : (JSON.parse(saved) as Entry[])) {
    try {
      const id = await (await library()).saveCache([path], key);
      // -1: the library has said why.
      if (id !== -1) core.info(`Saved ${path} to the cache service: ${key}`);
    } catch (error) {
      core.warning(`Failed to save ${path} to the cache service: ${errorMessage(error)}`);
    }
  }
}

/** As the library's own isFeatureAvailable, which is not worth loading it: 10 MB of storage clients. */
function isAvailable(): boolean {
  const { ACTIONS_CACHE_URL, ACTIONS_RESULTS_URL } = process.env;
  return Boolean(ACTIONS_CACHE_URL ?? ACTIONS_RESULTS_URL);
}

/** A chunk of its own in the bundle: a start that finds k3s in the tool cache never reads it. */
function library(): Promise<typeof import('@actions/cache')> {
  return import('@actions/cache');
}
