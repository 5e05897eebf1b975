import { chooseKernelSettings, nameWrongSysctls, wrongSysctls } from '../kernel-settings.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/** Nothing is missing, and no overlay takes /proc/sys: Linux, on which the kubelet would write the same. */
export const sysctlValues: Workaround = {
  id: 'sysctl-values',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom: 'Failed to mount overlay on /proc/sys: Invalid argument',
  source:
    'https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/cm/container_manager_linux.go',
  removeWhen: 'never: outside of gVisor there is nothing to work around, only to make sure of',
  needed: ({ facts, isolation, sysctls }) =>
    chooseKernelSettings(facts, isolation, sysctls) === 'written'
      ? `not as the kubelet wants them: ${nameWrongSysctls(facts)}`
      : undefined,
  contribute: ({ facts }) => ({
    operations: {
      system: wrongSysctls(facts).map(([path, value]) => ['set', `/proc/sys/${path}`, value]),
    },
  }),
};
