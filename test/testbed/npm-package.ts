import { join } from 'node:path';

import { command } from './command.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

/** npm without the network, and without what it does beside the point. */
export const npm = (cwd: string, ...args: readonly string[]): Promise<string> =>
  command(['npm', ...args, '--offline', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd });

/** Packs what would be published into a directory. */
export async function pack(directory: string): Promise<Packed> {
  const output = await npm(ROOT, 'pack', '--json', '--pack-destination', directory);
  // npm 12 answers by package name, npm 11 with a list.
  const [packed] = Object.values(JSON.parse(output) as Record<string, Packed>);
  if (packed === undefined) throw new Error(`Failed to pack: npm said ${output}`);
  return packed;
}

/** The directory of the npm that runs here. */
export async function npmDirectory(): Promise<string> {
  const path = await npm(ROOT, 'exec', '--call', 'echo "$npm_execpath"');
  return join(path.trim(), '../..');
}
