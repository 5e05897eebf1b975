import { spawn } from 'node:child_process';
import { once } from 'node:events';

import type { Action } from './action.ts';
import { alternate } from './figure.ts';
import { BENCH_PATH, type ClusterGroup } from './group.ts';
import { applyTraffic, deleteTraffic, traffic } from './traffic.ts';

const PORT = '18080';
const MEASURES = [
  { figure: 'outside-path', kind: 'stream', amount: '2', unit: 'MB/s' },
  { figure: 'outside-connect', kind: 'connect', amount: '300', unit: 'ms' },
] as const;

/** From where: the runner itself, a pod through the gateway, and what others use in its place. */
const PATHS: Readonly<Record<string, (cluster: Action, argv: string[]) => Promise<string>>> = {
  step: async (cluster, argv) => (await cluster.step(argv)).stdout,
  pod: async (cluster, argv) =>
    (await cluster.step(['kubectl', 'exec', 'client', '--', ...argv])).stdout,
  slirp4netns: async (cluster, argv) =>
    (await cluster.step([`${BENCH_PATH}/slirp.sh`, ...argv])).stdout,
};

/** A server on the machine below the sandbox: one stream, and connecting. */
export const outside: ClusterGroup = {
  figures: MEASURES.flatMap(({ figure }) => Object.keys(PATHS).map((path) => `${figure}.${path}`)),
  async measure(cluster, { wanted, rounds, report }) {
    const server = spawn(await traffic(), ['serve', PORT], { stdio: 'inherit' });
    try {
      await applyTraffic(cluster);
      for (const { figure, kind, amount, unit } of MEASURES) {
        const argv = [`${BENCH_PATH}/traffic`, kind, cluster.sandbox.addresses.host, PORT, amount];
        const measures = Object.entries(PATHS).map(
          ([path, run]) =>
            [`${figure}.${path}`, async () => Number(await run(cluster, argv))] as const,
        );
        const against = `${figure}.step`;
        const figures = await alternate(Object.fromEntries(measures), { rounds, unit, against });
        await report(figures.filter(({ name }) => wanted(name)));
      }
      await deleteTraffic(cluster);
    } finally {
      server.kill();
      await once(server, 'exit');
    }
  },
};
