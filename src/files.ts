import { stat } from 'node:fs/promises';

/** Whether something is at `path` that can be looked at. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
