import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from './cache.ts';
import { command } from './command.ts';
import { tool } from './tools.ts';

/**
 * What a self-hosted runner image has, with Node, helm, and act in the place of GitHub's runner. Not
 * more: the action must do without iptables and iproute2 of its surroundings.
 */
const PACKAGES = ['bash', 'ca-certificates', 'curl', 'git', 'procps', 'tar', 'xz-utils'];

/** For a runner that compiles; most have it, the official image has not. */
export const COMPILER = ['gcc', 'libc6-dev'];

/**
 * The root file system that sandboxes start from; read only, shared by all of them.
 * @param more Debian packages beyond those of a runner
 */
export async function rootfs(more: readonly string[] = []): Promise<string> {
  const packages = [...PACKAGES, ...more];
  const programs = {
    node: process.execPath,
    act: await tool('act'),
    helm: await tool('helm'),
  };
  const inputs = ['bookworm', ...packages, process.version, programs.act, programs.helm];
  return cached('rootfs', inputs, async (path) => {
    await command([
      ...['mmdebstrap', '--variant=minbase', `--include=${packages.join(',')}`],
      // deb-src lists, docs and caches only cost time when a sandbox is copied.
      ...['--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/doc/*'],
      ...['--dpkgopt=path-exclude=/usr/share/locale/*', 'bookworm', path],
    ]);
    // The user of the official actions-runner image.
    await command(['chroot', path, 'useradd', '--uid', '1001', '--create-home', 'runner']);
    for (const [name, file] of Object.entries(programs)) {
      await copyFile(file, join(path, 'usr/local/bin', name));
    }
    // Docker bind-mounts over these three; they must exist.
    for (const name of ['resolv.conf', 'hostname', 'hosts']) {
      await writeFile(join(path, 'etc', name), '');
    }
  });
}
