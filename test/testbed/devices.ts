import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Device } from './spec.ts';

/** Directories moby's HostDevices leaves out, for they are the container's own. */
const own = ['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'];

/** The device nodes of this machine, all of which `docker run --privileged` passes on. */
export async function hostDevices(dir = '/dev'): Promise<Device[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const found = entries.map(async (entry): Promise<Device[]> => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return own.includes(entry.name) ? [] : hostDevices(path);
    if (entry.name === 'console') return [];
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    const { rdev, mode, uid, gid } = await lstat(path);
    const type = entry.isCharacterDevice() ? 'c' : 'b';
    // glibc's gnu_dev_major and gnu_dev_minor, for numbers below 4096 and 2^20.
    const [major, minor] = [(rdev >>> 8) & 0xfff, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)];
    return [{ path, type, major, minor, fileMode: mode & 0o7777, uid, gid }];
  });
  return (await Promise.all(found)).flat();
}
