import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Size and time of each file, target of each link, by path: a full hash would take longer than making them anew. */
export type Inventory = Readonly<Record<string, string>>;

/** What is in `directory`; empty if it is not there. */
export async function inventory(directory: string): Promise<Inventory> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  const described = await Promise.all(
    entries
      .filter((entry) => !entry.isDirectory())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(directory.length + 1), await describe(path)] as const;
      }),
  );
  return Object.fromEntries(described);
}

async function describe(path: string): Promise<string> {
  const stats = await lstat(path);
  return stats.isSymbolicLink() ? await readlink(path) : `${stats.size} ${stats.mtimeMs}`;
}

export function isSame(a: Inventory, b: Inventory): boolean {
  return (
    Object.keys(a).length === Object.keys(b).length &&
    Object.entries(a).every(([path, text]) => b[path] === text)
  );
}
