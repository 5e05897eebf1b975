import { chmod, copyFile, readFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../errors.ts';
import { run } from '../exec.ts';
import { withWritable, type Workshop } from '../supply/supply.ts';
import { parseSums, sha256Of } from '../supply/verify.ts';
import type { Layout } from '../layout.ts';
import { compile, findCompiler, FLAGS, type Compiler } from './compiler.ts';
import { buildKey, readSources, translationUnits } from './sources.ts';

/** In the place of a release's tag in the tool cache. */
const TAG = 'interceptor';

/**
 * Puts the interceptor at `layout.interceptor`: compiled from the sources beside the action, so that
 * what runs is what can be read; where there is no compiler, the binary that ships with them.
 *
 * The cache service is not asked: nothing could tell that a binary from there is what these sources
 * make, short of compiling them, and that takes about as long as fetching it.
 * @throws if neither is to be had
 */
export async function bringInterceptor(layout: Layout, workshop: Workshop): Promise<void> {
  const { narrator } = workshop;
  try {
    const compiler = await findCompiler();
    if (compiler === undefined) {
      narrator.info('interceptor: no cc on this runner, so the binary that ships with the action');
      await usePrebuilt(layout);
      return;
    }
    const program = await compiled(layout, compiler, workshop);
    await place(program, layout);
  } catch (error) {
    narrator.warning(
      `Using the interceptor that ships with the action, not one made here: ${errorMessage(error)}`,
    );
    await usePrebuilt(layout);
  }
}

/** The path of the compiled program, from the tool cache if this build was done before. */
async function compiled(layout: Layout, compiler: Compiler, workshop: Workshop): Promise<string> {
  const { cache, narrator } = workshop;
  const sources = await readSources(layout.nativeSources);
  const key = buildKey(sources, FLAGS, compiler.identity, arch());
  const asset = { tag: TAG, name: 'interceptor', origin: key };
  const found = await cache.find(asset, undefined);
  if (found !== undefined) {
    narrator.info(`interceptor: compiled before, in the tool cache: ${found.path}`);
    return found.path;
  }
  narrator.info(`interceptor: compiling with ${compiler.path} (${compiler.identity})`);
  const { path } = await withWritable(workshop, async (writable) =>
    writable.stage(async (directory) => {
      const program = join(directory, asset.name);
      await compile(compiler, layout.nativeSources, translationUnits(sources), program);
      return writable.keep(program, asset, await sha256Of(program));
    }),
  );
  return path;
}

async function usePrebuilt(layout: Layout): Promise<void> {
  const path = join(layout.native, 'interceptor');
  const sums = parseSums(await readFile(join(layout.native, 'SHA256SUMS'), 'utf8'));
  const sha256 = await sha256Of(path);
  if (sha256 !== sums['interceptor']) {
    throw new Error(
      `Failed to verify ${path}: its SHA-256 is ${sha256}, expected ${sums['interceptor'] ?? 'one in SHA256SUMS'}; check the action out anew`,
    );
  }
  await place(path, layout);
}

/** A copy of the run's own, tried once: a cache may be dropped while the cluster runs. */
async function place(program: string, { interceptor }: Layout): Promise<void> {
  await copyFile(program, interceptor);
  await chmod(interceptor, 0o755);
  await run([interceptor, '--', 'true']);
}
