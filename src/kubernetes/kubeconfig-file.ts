import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { parseKubeconfig, type Access } from './kubeconfig.ts';
import { errorMessage } from '../errors.ts';
import { onChange, type Log } from '../log.ts';

/**
 * Yields what the kubeconfig says, now and whenever that changes. The file, and the directories it
 * is to be in, may not exist yet: k3s writes them, not atomically, so what cannot be read is waited
 * out. Nothing polls. Rejects with the signal's reason.
 */
export async function* kubeconfigs(
  path: string,
  say: Log,
  signal: AbortSignal,
): AsyncGenerator<Access, never> {
  const complain = onChange(say);
  let last = '';
  for (;;) {
    const directory = nearestExisting(dirname(path));
    const watcher = watch(directory);
    try {
      // Listening before reading: what is written in between is seen.
      const changed = once(watcher, 'change', { signal });
      // Awaited below; what fails while the consumer has its turn must not be unhandled.
      changed.catch(() => undefined);
      if (nearestExisting(dirname(path)) !== directory) continue;
      const read = await readAccess(path, last);
      if (typeof read === 'string') {
        complain(`Waiting for ${path}: ${read}`);
      } else if (read) {
        last = read.text;
        yield read.access;
      }
      await changed;
    } finally {
      watcher.close();
    }
  }
}

/** What the file says; undefined if that is the same as before, and the reason if nothing yet. */
async function readAccess(
  path: string,
  before: string,
): Promise<{ text: string; access: Access } | string | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return text === before ? undefined : { text, access: parseKubeconfig(text) };
  } catch (error) {
    return errorMessage(error);
  }
}

function nearestExisting(directory: string): string {
  return existsSync(directory) ? directory : nearestExisting(dirname(directory));
}
