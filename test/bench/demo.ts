import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { command } from '../testbed/command.ts';
import { summarise } from './figure.ts';
import type { Group } from './group.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * What a newcomer waits for: `make demo` with nothing built and no module downloaded, building all it
 * shows. Debian's and npm's packages are there. Minutes each: once, whatever the rounds.
 */
export const demo: Group = {
  figures: ['demo.cold'],
  async measure({ report }) {
    const empty = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-cold-'));
    try {
      const started = performance.now();
      await command([process.execPath, join(ROOT, 'test/demo.ts')], {
        env: {
          ...process.env,
          RELEASES: 'build',
          K3S_IN_GVISOR_CACHE: join(empty, 'testbed'),
          GOCACHE: join(empty, 'go-build'),
          GOMODCACHE: join(empty, 'go-mod'),
        },
        showProgress: true,
      });
      const seconds = (performance.now() - started) / 1000;
      await report([summarise('s', { name: 'demo.cold', values: [seconds] })]);
    } finally {
      await rm(empty, { recursive: true, force: true });
    }
  },
};
