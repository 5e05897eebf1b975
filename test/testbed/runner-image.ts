import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { command } from './command.ts';
import type { SandboxOptions } from './sandbox.ts';

/** As in the official runner image, which has no gcc, no iptables, and sudo. */
export const RUNNER = { uid: 1001, gid: 1001 };

/** Where a Dockerfile adds the helper. */
export const IDMAP = '/usr/local/bin/k3s-in-gvisor-idmap';

/** native/idmap as it ships. */
export const SHIPPED_IDMAP = join(import.meta.dirname, '../../dist/native/linux-x64/idmap');

/** `RUN k3s-in-gvisor-idmap install ...`: the image's own file has the capabilities. */
export const addIdMapper =
  (program = SHIPPED_IDMAP) =>
  async (root: string): Promise<void> => {
    await command([program, 'install', join(root, IDMAP)]);
  };

/** What docs/runners.md tells the users of the official image to do. */
export const WITH_HELPER = { user: RUNNER, build: addIdMapper() } satisfies SandboxOptions;

/** The official image's sudo, and a runsc under which it works. */
export const WITH_SUDO = {
  user: RUNNER,
  packages: ['sudo'],
  flags: ['--allow-suid'],
  build: async (root) => {
    await writeFile(join(root, 'etc/sudoers'), 'runner ALL=(ALL:ALL) NOPASSWD:ALL\n', {
      mode: 0o440,
    });
  },
} satisfies SandboxOptions;

/**
 * A job's container of actions-runner-container-hooks: the job image, whose user is root mostly, with
 * the runner's Node, tool cache and workspace below /__e, /__t and /__w, and no Node of its own.
 */
export const JOB_CONTAINER = {
  build: async (root) => {
    await mkdir(join(root, '__e/node24/bin'), { recursive: true });
    await cp(join(root, 'usr/local/bin/node'), join(root, '__e/node24/bin/node'));
    await command(['rm', join(root, 'usr/local/bin/node')]);
    for (const directory of ['__t', '__w/_temp', '__w/repository/repository']) {
      await mkdir(join(root, directory), { recursive: true });
    }
  },
} satisfies SandboxOptions;
