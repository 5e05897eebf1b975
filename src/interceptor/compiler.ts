import { which } from '@actions/io';
import { run } from '../exec.ts';

export interface Compiler {
  readonly path: string;
  /** All that it says of its version and its target. */
  readonly identity: string;
}

/** The flags that matter; the rest, warnings above all, is the Makefile's. */
export const FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-fstack-protector-strong', '-I.'];

/** The runner's C compiler, undefined where it has none. */
export async function findCompiler(): Promise<Compiler | undefined> {
  const path = await which('cc');
  if (path === '') {
    return undefined;
  }
  const [version, machine] = await Promise.all([
    run([path, '--version']),
    run([path, '-dumpmachine']),
  ]);
  return { path, identity: `${version.split('\n')[0] ?? ''}, ${machine.trim()}` };
}

/**
 * Compiles and links `units` of the directory `native` to the program `out`.
 * @throws with what the compiler said
 */
export async function compile(
  { path }: Compiler,
  native: string,
  units: readonly string[],
  out: string,
): Promise<void> {
  await run([path, ...FLAGS, '-o', out, ...units], { cwd: native });
}
