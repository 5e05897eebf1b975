import { readFile } from 'node:fs/promises';

import { command } from './command.ts';

/** Unmounts what is mounted at the path; nothing mounted is no error. */
export async function unmount(path: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  if (mounts.split('\n').some((line) => line.split(' ')[4] === path)) {
    await command(['umount', path]);
  }
}
