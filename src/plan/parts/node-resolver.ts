import type { Workaround } from '../part.ts';

/** The runner's name servers cannot be reached from the node's network namespace; the gateway asks them. */
export const nodeResolver: Workaround = {
  id: 'node-resolver',
  kind: 'workaround',
  where: { isolation: 'namespaces' },
  symptom: 'dial tcp: lookup registry-1.docker.io: i/o timeout',
  source: 'docs/architecture.md',
  removeWhen: "the node shares the runner's network namespace",
  needed: ({ facts }) =>
    `the gateway answers DNS on the node's address for ${facts.resolver.nameservers.join(', ') || 'no name server of the runner'}`,
  contribute: ({ addresses, facts }) => ({
    operations: {
      files: [
        [
          'write',
          '/etc/resolv.conf',
          '0644',
          [`nameserver ${addresses.node}`, ...facts.resolver.otherLines, ''].join('\n'),
        ],
      ],
    },
    k3s: { 'resolv-conf': '/etc/resolv.conf' },
  }),
};
