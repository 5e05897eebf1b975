import { createReadStream, watch } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { command, exitOf, spawnCommand } from './command.ts';
import { runtimeOf } from './runtime.ts';
import type { User } from './spec.ts';
import type { SandboxRecord } from './state.ts';

export interface ExecOptions {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Another than the container's, as `docker exec --user`. */
  user?: User;
  /** An open host file for standard input; without it the command reads end of file. */
  stdin?: number;
  /** Called with output as it is written. */
  onOutput?: (chunk: Buffer, stream: 'stdout' | 'stderr') => void;
  /** Aborting it kills the command (not its children) with SIGKILL. */
  signal?: AbortSignal;
}

export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

export async function runExec(
  record: SandboxRecord,
  argv: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const dir = await mkdtemp(join(record.data, 'exec-'));
  const stdout = join(dir, 'stdout');
  const stderr = join(dir, 'stderr');
  try {
    const code = await execToFiles(record, argv, options, { dir, stdout, stderr });
    const [out, err] = await Promise.all([readFile(stdout, 'utf8'), readFile(stderr, 'utf8')]);
    return { code, stdout: out, stderr: err };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export async function copyIn(
  record: SandboxRecord,
  source: string,
  directory: string,
): Promise<void> {
  const archive = join(await mkdtemp(join(record.data, 'copy-')), 'archive.tar');
  const [from, what] = (await stat(source)).isDirectory()
    ? [source, '.']
    : [dirname(source), basename(source)];
  await command(['tar', '-C', from, '-cf', archive, what]);
  await using file = await open(archive);
  const unpack = ['sh', '-c', 'mkdir -p "$1" && exec tar -C "$1" -xf -', 'sh', directory];
  const { code, stderr } = await runExec(record, unpack, { stdin: file.fd });
  await rm(dirname(archive), { recursive: true });
  if (code !== 0) throw new Error(`Failed to copy ${source} into ${directory}: ${stderr}`);
}

export async function copyOut(
  record: SandboxRecord,
  directory: string,
  target: string,
): Promise<void> {
  const dir = await mkdtemp(join(record.data, 'copy-'));
  const files = { dir, stdout: join(dir, 'archive.tar'), stderr: join(dir, 'stderr') };
  const code = await execToFiles(record, ['tar', '-C', directory, '-cf', '-', '.'], {}, files);
  if (code !== 0) {
    throw new Error(`Failed to copy ${directory} out: ${await readFile(files.stderr, 'utf8')}`);
  }
  await command(['mkdir', '-p', target]);
  await command(['tar', '-C', target, '-xf', files.stdout]);
  await rm(dir, { recursive: true });
}

/**
 * Output goes to files because `runsc exec` loses lines when it is given pipes: it may end before
 * they are read.
 */
async function execToFiles(
  record: SandboxRecord,
  argv: readonly string[],
  options: ExecOptions,
  files: { dir: string; stdout: string; stderr: string },
): Promise<number> {
  options.signal?.throwIfAborted();
  // Appending, because a program may open /dev/stdout anew, which in gVisor starts at offset 0.
  await using stdout = await open(files.stdout, 'a');
  await using stderr = await open(files.stderr, 'a');
  const { onOutput } = options;
  const followers = onOutput && [
    follow(files.stdout, (chunk) => {
      onOutput(chunk, 'stdout');
    }),
    follow(files.stderr, (chunk) => {
      onOutput(chunk, 'stderr');
    }),
  ];
  const runtime = runtimeOf(record.profile);
  const extra = Object.entries(options.env ?? {}).map((entry) => entry.join('='));
  const request = {
    argv,
    env: [...record.env, ...extra],
    cwd: options.cwd ?? '/',
    user: options.user ?? record.user,
    dir: files.dir,
  };
  const host = await runtime.execArgv(record, request);
  const child = spawnCommand(host, [options.stdin ?? 'ignore', stdout.fd, stderr.fd]);
  const abort = () => {
    // What has not started inside yet, or has just ended, is left to the host command's own end.
    runtime.killExec(record, request, child.pid ?? 0).catch(() => child.kill('SIGKILL'));
  };
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    return await exitOf(child);
  } finally {
    options.signal?.removeEventListener('abort', abort);
    await Promise.all(followers?.map((follower) => follower.finish()) ?? []);
    options.signal?.throwIfAborted();
  }
}

/** Reports what is appended to a file, until `finish` has reported the rest. */
function follow(path: string, onChunk: (chunk: Buffer) => void): { finish(): Promise<void> } {
  let offset = 0;
  const drain = async () => {
    for await (const chunk of createReadStream(path, { start: offset }) as AsyncIterable<Buffer>) {
      offset += chunk.length;
      onChunk(chunk);
    }
  };
  // One drain after the other, or two would report the same bytes.
  let pending = Promise.resolve();
  const watcher = watch(path, () => {
    pending = pending.then(drain);
  });
  return {
    async finish() {
      watcher.close();
      await (pending = pending.then(drain));
    },
  };
}
