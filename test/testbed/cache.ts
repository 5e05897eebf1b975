import { createHash } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { locked } from './lock.ts';
import { cacheDir } from './paths.ts';

/** First 16 hex digits of the SHA-256 over the inputs; their boundaries count. */
export function contentKey(inputs: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(`${Buffer.byteLength(input)}:`).update(input);
  return hash.digest('hex').slice(0, 16);
}

/**
 * The cached file or directory `<thing>-<key>`, built first when it is not there. `build` makes it
 * under the temporary path given to it; only a complete one gets the final name. Two processes that
 * want the same thing build it once.
 */
export async function cached(
  thing: string,
  inputs: readonly (string | Uint8Array)[],
  build: (path: string) => Promise<void>,
): Promise<string> {
  const path = join(cacheDir, `${thing}-${contentKey(inputs)}`);
  if (existsSync(path)) return path;
  await mkdir(join(cacheDir, 'locks'), { recursive: true });
  return locked(join(cacheDir, 'locks', thing), async () => {
    if (existsSync(path)) return path;
    const started = performance.now();
    console.error(`build ${thing}`);
    // Only the holder of the lock gets here, so what is there was left by a build that was killed.
    // Its children may still write: hence another name, and the retries.
    for (const stale of globSync(`.building-${thing}-??????`, { cwd: cacheDir })) {
      await rm(join(cacheDir, stale), { recursive: true, maxRetries: 10 });
    }
    const scratch = await mkdtemp(join(cacheDir, `.building-${thing}-`));
    try {
      await build(join(scratch, 'result'));
      await rename(join(scratch, 'result'), path);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    console.error(`built ${thing} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return path;
  });
}
