import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheDir, runDir } from './paths.ts';
import { isAlive, type ProcessIdentity } from './processes.ts';
import type { ContainerProfile, User } from './spec.ts';

export type Profile = ContainerProfile | 'native';

/** What is written down about a sandbox, enough to use and to remove it from another process. */
export interface SandboxRecord {
  /** Also the number of its /30 network. */
  index: number;
  name: string;
  profile: Profile;
  /** Path of the runsc binary. */
  runsc: string;
  user: User;
  /** Global flags of runsc's beyond those of the profile. */
  flags?: readonly string[];
  env: string[];
  /** The process whose end must end the sandbox; none when it is to stay until stopped. */
  owner?: ProcessIdentity;
  /** The sandbox's own first process on the host, once it is running. */
  main?: ProcessIdentity;
  /** The servers on the host's end of its network. */
  outside?: ProcessIdentity;
  /** Directory of its writable layer and bundle. */
  data: string;
}

/** 198.18.0.0/15, set aside for benchmarks, in pieces of four. */
const networks = 32768;

/** Kernel-visible name of everything that belongs to the sandbox: netns, links, cgroup. */
export const idOf = ({ index }: Pick<SandboxRecord, 'index'>) => `kgv${index}`;
export const recordDir = ({ index }: Pick<SandboxRecord, 'index'>) => join(runDir, String(index));

/** True while somebody may still be using the sandbox. */
export const inUse = ({ owner, main }: SandboxRecord) =>
  owner ? isAlive(owner) : main !== undefined && isAlive(main);

/**
 * Claims an unused index. Renaming a filled directory onto another one fails, so of two processes
 * that want the same index one tries again. Indexes are random: one just freed is not given out
 * again while a slower process still cleans up after it.
 */
export async function claim(fields: Omit<SandboxRecord, 'index' | 'data'>): Promise<SandboxRecord> {
  await mkdir(runDir, { recursive: true });
  for (;;) {
    const index = randomInt(networks);
    const record = {
      ...fields,
      index,
      data: join(cacheDir, 'sandboxes', `${Date.now()}-${index}`),
    };
    const draft = await mkdtemp(join(runDir, '.draft-'));
    await writeFile(join(draft, 'record.json'), JSON.stringify(record));
    try {
      await rename(draft, recordDir(record));
      return record;
    } catch (error) {
      await rm(draft, { recursive: true });
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    }
  }
}

export async function save(record: SandboxRecord): Promise<void> {
  const path = join(recordDir(record), 'record.json');
  await writeFile(`${path}.new`, JSON.stringify(record));
  await rename(`${path}.new`, path);
}

/** Every record there is, of live sandboxes and of leftovers. */
export async function records(): Promise<SandboxRecord[]> {
  await mkdir(runDir, { recursive: true });
  const names = (await readdir(runDir)).filter((name) => /^\d+$/.test(name));
  const read = names.map(async (name) => {
    try {
      const text = await readFile(join(runDir, name, 'record.json'), 'utf8');
      return [JSON.parse(text) as SandboxRecord];
    } catch (error) {
      // Its owner removed it between the listing and now.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
  return (await Promise.all(read)).flat();
}
