import { readFile } from 'node:fs/promises';
import { dirname, join, matchesGlob } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** It appears in another mount namespace, in a directory that is not there yet. */
const POLL_MS = 50;

/**
 * Waits for containerd's configuration, which k3s makes of a template, and sees that it reads `dropIn`:
 * a k3s that looks for drop-ins and templates under other names would leave it out without a word.
 * @param root the root directory that k3s has
 * @param dropIn a file of config-v3.toml.d, as k3s sees it
 * @throws if the configuration does not import it
 */
export async function awaitContainerdConfig(
  root: string,
  dropIn: string,
  signal: AbortSignal,
): Promise<void> {
  const path = join(dirname(dirname(dropIn)), 'config.toml');
  const config = await untilWritten(join(root, path), signal);
  if (!importsOf(config).some((pattern) => matchesGlob(dropIn, pattern))) {
    throw new Error(
      `k3s made a ${path} that does not import ${dropIn}, so containerd lacks what this sandbox needs; this version of k3s is not known to work, take one of those that README.md names`,
    );
  }
}

async function untilWritten(path: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    const content = await readFile(path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return '';
      }
      throw error;
    });
    // Empty between its making and its writing.
    if (content !== '') {
      return content;
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

/** The patterns of the TOML key `imports`. */
export function importsOf(config: string): string[] {
  const list = /^imports\s*=\s*\[([^\]]*)\]/m.exec(config)?.[1] ?? '';
  return [...list.matchAll(/"([^"]*)"|'([^']*)'/g)].map(([, one, other]) => one ?? other ?? '');
}
