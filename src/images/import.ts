import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errorMessage } from '../errors.ts';
import { run } from '../exec.ts';
import { inventory } from '../supply/inventory.ts';
import { BLOBS, DATABASES, INDEX, SNAPSHOTS } from './prepared.ts';

/** No kubelet talks to this containerd, and no container is started by it. */
const CONFIG = `version = 3
disabled_plugins = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.cri.v1.images',
  'io.containerd.cri.v1.runtime',
  'io.containerd.nri.v1.nri',
]
`;

const DECOMPRESSORS: readonly (readonly [name: RegExp, make: () => Transform])[] = [
  [/\.(tar\.gz|tgz)$/i, createGunzip],
  [/\.(tar\.zst|tzst)$/i, createZstdDecompress],
];

/** Whether the importer can read it: k3s takes lz4 and bzip2 as well, Node does not. */
export function isImportable(tar: string): boolean {
  return /\.tar$/i.test(tar) || DECOMPRESSORS.some(([name]) => name.test(tar));
}

/**
 * In namespaces of its own, by k3s's own containerd: imports and unpacks the tars, and copies what is
 * kept of them to `target`. It never saw a cluster, so there is nothing of one in it.
 * @throws with the program that failed, and what it said
 */
export async function importImages(argv: readonly string[]): Promise<void> {
  const { values, positionals: tars } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      bin: { type: 'string', default: '' },
      work: { type: 'string', default: '' },
      target: { type: 'string', default: '' },
    },
  });
  const { bin, work, target } = values;
  const root = join(work, 'root');
  const socket = join(work, 'containerd.sock');
  await mkdir(root, { recursive: true });
  await writeFile(join(work, 'config.toml'), CONFIG);
  const containerd = await startContainerd([
    ...[join(bin, 'containerd'), '--config', join(work, 'config.toml'), '--address', socket],
    ...['--root', root, '--state', join(work, 'state')],
  ]);
  try {
    for (const tar of tars) {
      await importTar(tar, [join(bin, 'ctr'), '--address', socket, '--namespace', 'k8s.io']);
    }
  } finally {
    containerd.kill('SIGTERM');
    await once(containerd, 'exit');
  }
  const kept = join(target, 'root');
  for (const path of [SNAPSHOTS, BLOBS, ...DATABASES]) {
    await mkdir(dirname(join(kept, path)), { recursive: true });
    // With owners, times, devices and attributes, of which Node's own copy keeps some.
    await run(['cp', '--archive', join(root, path), join(kept, path)]);
  }
  await writeFile(join(target, INDEX), JSON.stringify(await inventory(kept)));
}

/** ctr takes uncompressed archives only. */
async function importTar(tar: string, ctr: readonly string[]): Promise<void> {
  const [program = '', ...args] = [
    ...[...ctr, 'images', 'import', '--local', '--snapshotter', 'overlayfs'],
    // As k3s labels what it imports: the kubelet does not collect it.
    ...['--label', 'io.cri-containerd.pinned=pinned', '-'],
  ];
  const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const decompress = DECOMPRESSORS.find(([name]) => name.test(tar))?.[1];
  const read = decompress === undefined ? [] : [decompress()];
  const fed = pipeline([createReadStream(tar), ...read, child.stdin]).catch((error: unknown) => {
    // ctr has no use for what comes after the archive's end mark, or has failed and says so.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') {
      throw new Error(`Failed to read ${tar}: ${errorMessage(error)}`, { cause: error });
    }
  });
  const [[code, signal]] = await Promise.all([ended, fed]);
  if (code !== 0) {
    throw new Error(`Failed to import ${tar}: ctr ended with ${code ?? signal ?? ''}`);
  }
}

/** Returns when it serves, which it says last. */
async function startContainerd(argv: readonly string[]): Promise<ChildProcess> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(
        new Error(
          `Failed to start containerd: it ended with ${code ?? signal ?? ''}: ${said.slice(-5).join('\n')}`,
        ),
      );
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      console.error(line);
      said.push(line);
      if (line.includes('containerd successfully booted')) {
        resolve();
      }
    });
  });
  return child;
}
