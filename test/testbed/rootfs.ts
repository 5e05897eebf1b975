import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from './cache.ts';
import { command } from './command.ts';

/**
 * What a self-hosted runner image has, and no more: the action must do without iptables and
 * iproute2 of its surroundings.
 */
const packages = ['bash', 'ca-certificates', 'curl', 'git', 'procps', 'tar', 'xz-utils'];

/** The root file system every sandbox starts from; read only, shared by all of them. */
export function rootfs(): Promise<string> {
  const node = process.execPath;
  return cached('rootfs', ['bookworm', ...packages, process.version], async (path) => {
    await command([
      ...['mmdebstrap', '--variant=minbase', `--include=${packages.join(',')}`],
      // deb-src lists, docs and caches only cost time when a sandbox is copied.
      ...['--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/doc/*'],
      ...['--dpkgopt=path-exclude=/usr/share/locale/*', 'bookworm', path],
    ]);
    // The user of the official actions-runner image.
    await command(['chroot', path, 'useradd', '--uid', '1001', '--create-home', 'runner']);
    await cp(node, join(path, 'usr/local/bin/node'));
    // Docker bind-mounts over these three; they must exist.
    for (const name of ['resolv.conf', 'hostname', 'hosts']) {
      await writeFile(join(path, 'etc', name), '');
    }
  });
}
