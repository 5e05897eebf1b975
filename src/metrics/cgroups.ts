import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a cgroup has used. */
export interface Usage {
  /** Nanoseconds of CPU time since it was made. */
  readonly cpu: number;
  /** Bytes. gVisor does not tell what of it are caches, so this is the working set as well. */
  readonly memory: number;
}

export interface Snapshot {
  readonly node: Usage;
  /** By the container's id. */
  readonly containers: ReadonlyMap<string, Usage>;
}

/** Where the two controllers are, and how their files are read; version 1 and 2 of the interface. */
interface Hierarchy {
  readonly cpuRoot: string;
  readonly memoryRoot: string;
  readonly cpu: (directory: string) => Promise<number>;
  readonly memory: (directory: string) => Promise<number>;
}

const CONTAINER = /^[0-9a-f]{64}$/;

/** Reads the usage of all containers there are. @throws if there is no cgroup tree to read */
export async function readUsage(root: string): Promise<Snapshot> {
  const hierarchy = await hierarchyAt(root);
  const node = await usageOf(hierarchy, '');
  if (node === undefined) {
    throw new Error(`Failed to read the node's usage below ${root}`);
  }
  const containers = new Map<string, Usage>();
  await collect(hierarchy, '', containers);
  return { node, containers };
}

async function hierarchyAt(root: string): Promise<Hierarchy> {
  const names = await readdir(root);
  return names.includes('cpuacct')
    ? {
        cpuRoot: join(root, 'cpuacct'),
        memoryRoot: join(root, 'memory'),
        cpu: (directory) => number(join(directory, 'cpuacct.usage')),
        memory: (directory) => number(join(directory, 'memory.usage_in_bytes')),
      }
    : {
        cpuRoot: root,
        memoryRoot: root,
        cpu: async (directory) => 1000 * (await field(join(directory, 'cpu.stat'), 'usage_usec')),
        memory: (directory) => number(join(directory, 'memory.current')),
      };
}

/** Of whatever root: .../kubepods/[burstable/|besteffort/]pod<uid>/<container>. */
async function collect(
  hierarchy: Hierarchy,
  path: string,
  containers: Map<string, Usage>,
): Promise<void> {
  const entries = await readdir(join(hierarchy.cpuRoot, path), { withFileTypes: true }).catch(
    unlessGone,
  );
  for (const entry of entries ?? []) {
    if (!entry.isDirectory()) {
      continue;
    }
    const below = join(path, entry.name);
    if (CONTAINER.test(entry.name)) {
      const usage = await usageOf(hierarchy, below);
      if (usage !== undefined) {
        containers.set(entry.name, usage);
      }
    } else {
      await collect(hierarchy, below, containers);
    }
  }
}

/** Undefined for a cgroup that went in the meantime. */
async function usageOf(hierarchy: Hierarchy, path: string): Promise<Usage | undefined> {
  try {
    return {
      cpu: await hierarchy.cpu(join(hierarchy.cpuRoot, path)),
      memory: await hierarchy.memory(join(hierarchy.memoryRoot, path)),
    };
  } catch (error) {
    unlessGone(error);
    return undefined;
  }
}

async function number(path: string): Promise<number> {
  return Number(await readFile(path, 'utf8'));
}

async function field(path: string, name: string): Promise<number> {
  const text = await readFile(path, 'utf8');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

function unlessGone(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENODEV') {
    return undefined;
  }
  throw error;
}
