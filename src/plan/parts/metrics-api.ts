import type { Workaround } from '../part.ts';

/** On the node's address; k3s itself uses 10248 to 10259. */
const PORT = '10241';

/** The controller serves metrics.k8s.io from the cgroups, in place of metrics-server (docs/metrics.md). */
export const metricsApi: Workaround = {
  id: 'metrics-api',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: ['full'] },
  symptom: 'error: Metrics API not available; an HPA stays at cpu: <unknown>/50%',
  source: 'https://github.com/google/gvisor/issues/6500',
  removeWhen:
    'gVisor has cpuacct.usage_percpu and memory.stat, without which cAdvisor tells nothing of a container',
  needed: ({ components }) =>
    components.includes('metrics')
      ? 'cAdvisor finds no metrics of containers here, so they are served from the cgroups'
      : undefined,
  contribute: () => ({ controller: ['--metrics-api-port', PORT] }),
};
