import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPaths } from '../layout.ts';
import { startInit } from '../namespaces/init.ts';
import { renderLaunchFile } from '../namespaces/operations.ts';
import type { RunState } from './state.ts';

/**
 * Removes cgroups as root of a run's ids: for a runner that is not root they are its own, but in a
 * tree that is root's.
 * @throws with the errno's name as the error's code
 */
export async function removeGroupsMapped(
  paths: readonly string[],
  { argv, native }: NonNullable<RunState['idMapper']>,
  directory: string,
): Promise<void> {
  const launchFile = join(directory, 'remove-groups');
  const launch = renderLaunchFile({
    namespaces: ['user'],
    idMaps: [],
    denySetgroups: false,
    mapper: argv,
    steps: [
      {
        id: 'remove-groups',
        reason: 'the cgroups of pods that are gone',
        operations: [...paths.map((path) => ['remove-group', path] as const), ['ready']],
      },
    ],
  });
  await writeFile(launchFile, launch, { mode: 0o600 });
  try {
    const init = await startInit({ native, logs: runPaths(directory).logs, launchFile });
    await init.launched;
    await init.ended;
  } finally {
    await rm(launchFile, { force: true });
  }
}
