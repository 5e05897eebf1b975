import { join } from 'node:path';
import { PRIVATE_FILES } from '../../layout.ts';
import type { Workaround } from '../part.ts';

/** What pods and the node call the runner; documented, as k3d's host.k3d.internal is. */
const NAME = 'host.k3s-in-gvisor.internal';

/** The runner's loopback is not a pod's, and nobody knows a runner's address in advance. */
export const runnerHost: Workaround = {
  id: 'runner-host',
  kind: 'tuning',
  where: { isolation: 'namespaces', modes: ['full'] },
  symptom:
    'connect to 127.0.0.1 port 5000: Connection refused, of a server that a step has started',
  source: 'https://github.com/helm/kind-action/issues/118',
  removeWhen: 'never: a cluster has a network of its own',
  needed: ({ facts }) =>
    facts.networks.length === 0 ? undefined : `pods and the node reach servers of steps as ${NAME}`,
  contribute: ({ components, facts }) => {
    const entry = `${(facts.networks[0] ?? '').split('/')[0] ?? ''} ${NAME}`;
    const hosts = join(PRIVATE_FILES, 'hosts');
    return {
      operations: {
        files: [
          ...(facts.hosts === undefined
            ? [['write', '/etc/hosts', '0644', `${entry}\n`] as const]
            : [
                // Over the runner's own, which is often a mount and must not be written to.
                ['write', hosts, '0644', `${facts.hosts.trimEnd()}\n${entry}\n`] as const,
                ['bind', hosts, '/etc/hosts', '-'] as const,
              ]),
        ],
      },
      // Before CoreDNS's own manifest, so that it has it from the start.
      objects: components.includes('coredns') ? { [CUSTOM_DNS]: customDns(entry) } : {},
    };
  },
};

const CUSTOM_DNS = '/api/v1/namespaces/kube-system/configmaps/coredns-custom';

/** k3s's CoreDNS imports each `*.server` of this ConfigMap. */
function customDns(entry: string): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'coredns-custom', namespace: 'kube-system' },
    data: {
      'k3s-in-gvisor-host.server': `${NAME}:53 {\n    hosts {\n        ${entry}\n    }\n}\n`,
    },
  };
}
