import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from './cache.ts';
import { command } from './command.ts';
import { testbedDir } from './paths.ts';

/** Folder under tools/ (a Go module that pins one program) -> the package it builds. */
const packages = {
  runsc: 'gvisor.dev/gvisor/runsc',
  'runsc-2026-02': 'gvisor.dev/gvisor/runsc',
} as const;

export type Tool = keyof typeof packages;

/** A static linux build of the tool, for this machine's architecture. */
export async function tool(name: Tool): Promise<string> {
  const module = join(testbedDir, 'tools', name);
  const pins = await Promise.all(
    ['go.mod', 'go.sum'].map((file) => readFile(join(module, file))),
  );
  return cached(name, [...pins, process.arch], async (path) => {
    await command(['go', 'build', '-trimpath', '-ldflags=-s -w', '-o', path, packages[name]], {
      cwd: module,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
    });
  });
}
