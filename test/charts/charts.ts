import { expect } from 'vitest';

import type { ImageName } from '../testbed/images/images.ts';
import type { Tool } from '../testbed/tools.ts';
import type { Job } from '../e2e/support/job.ts';

/** A chart that nobody here wrote, as it is in the module of the program it installs. */
export interface ForeignChart {
  name: string;
  tool: Tool;
  module: string;
  /** Its folder of the module. */
  chart: string;
  images: readonly ImageName[];
  settings: readonly string[];
  /** Its pods' tests, by `helm test`. */
  suites: readonly string[];
  /** That what it installed does its work, beyond being ready. */
  works: (job: Job, release: string) => Promise<void>;
}

const POLL = { timeout: 180_000, interval: 2_000 };

export const FOREIGN_CHARTS: readonly ForeignChart[] = [
  {
    name: 'podinfo',
    tool: 'podinfo',
    module: 'github.com/stefanprodan/podinfo',
    chart: 'charts/podinfo',
    images: ['podinfo', 'redis', 'tiny-tools', 'grpc-health-probe'],
    settings: [
      ...['replicaCount=2', 'podDisruptionBudget.minAvailable=1', 'redis.enabled=true'],
      ...['hpa.enabled=true', 'hpa.cpu=95', 'cache=tcp://RELEASE-redis:6379'],
    ],
    suites: ['cache', 'grpc', 'jwt', 'service'],
    works: async (job, release) => {
      const hpa = ['get', 'hpa', `--namespace=${release}`, '--output'];
      const utilization =
        '{.items[0].status.currentMetrics[0].resource.current.averageUtilization}';
      await expect
        .poll(() => job.must(['kubectl', ...hpa, `jsonpath=${utilization}`]), POLL)
        .toMatch(/^\d+$/);
    },
  },
];
