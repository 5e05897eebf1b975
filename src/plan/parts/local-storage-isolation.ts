import { WITH_NODE, type Workaround } from '../part.ts';

export const localStorageIsolation: Workaround = {
  id: 'local-storage-isolation',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom: 'failed to get rootfs info: unable to find data in memory cache',
  source: 'https://github.com/k3s-io/k3s/issues/8404',
  removeWhen: 'cAdvisor finds the partition of a tmpfs or of a gVisor root',
  needed: () =>
    'cAdvisor knows no partition for /var/lib/kubelet here; ephemeral-storage limits are not enforced',
  contribute: () => ({
    kubelet: { localStorageCapacityIsolation: false },
    // The kubelet then tells the scheduler of none: pods that request some would wait for ever.
    controller: ['--ephemeral-storage', '/var/lib/kubelet'],
  }),
};
