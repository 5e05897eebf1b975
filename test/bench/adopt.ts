import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import { ACTION, Job } from '../e2e/support/job.ts';
import { summarise } from './figure.ts';
import type { Group } from './group.ts';

const NAME = 'adopt.stock';
const IMAGES = ['coredns', 'pause', 'local-path-provisioner'].map(
  (name) => `${IMAGES_PATH}/${name}.tar`,
);

/** How long the action takes to make a cluster of before the job its own, by its own clock. */
export const adopt: Group = {
  figures: [NAME],
  async measure({ rounds, report }) {
    await using sandbox = await startClusterSandbox({ profile: 'stock' });
    const job = await Job.create(sandbox);
    await job.must([
      ...['node', `${ACTION}/dist/cli/index.js`, 'start', '--for-action', `--k3s-path=${K3S_PATH}`],
      ...IMAGES.map((path) => `--images=${path}`),
    ]);
    const values: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { log } = await job.mustMain({
        inputs: { 'k3s-path': K3S_PATH, images: IMAGES.join('\n'), 'keep-running': 'true' },
      });
      values.push(Number(/([\d.]+) s {2}cluster adopted/.exec(log)?.[1]));
      await job.post();
    }
    await report([summarise('s', { name: NAME, values })]);
  },
};
