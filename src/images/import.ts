import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { run } from '../exec.ts';
import { inventory } from '../k3s/inventory.ts';
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
    const ctr = [join(bin, 'ctr'), '--address', socket, '--namespace', 'k8s.io'];
    for (const tar of tars) {
      // As k3s labels what it imports: the kubelet does not collect it.
      const label = ['--label', 'io.cri-containerd.pinned=pinned'];
      await run([
        ...ctr,
        'images',
        'import',
        '--local',
        '--snapshotter',
        'overlayfs',
        ...label,
        tar,
      ]);
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
