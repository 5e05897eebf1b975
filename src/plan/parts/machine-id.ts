import type { Workaround } from '../part.ts';

export const machineId: Workaround = {
  id: 'machine-id',
  kind: 'workaround',
  where: { isolation: 'namespaces' },
  symptom:
    'Failed to get system UUID / couldn\'t collect info from any of the files in "/etc/machine-id"',
  source: 'https://github.com/google/cadvisor/blob/master/machine/info.go',
  removeWhen: 'never: container images have no machine id',
  needed: ({ facts }) =>
    facts.machineId.result === 'yes' ? undefined : `/etc/machine-id: ${facts.machineId.evidence}`,
  // Any 32 hex digits will do; one node per cluster, so it need not differ between runs.
  contribute: () => ({
    operations: { files: [['write', '/etc/machine-id', '0444', `${'0'.repeat(31)}1\n`]] },
  }),
};
