import { dirname, join } from 'node:path';
import { PRIVATE_FILES } from '../../layout.ts';
import type { Operation } from '../../namespaces/operations.ts';
import {
  chooseKernelSettings,
  KUBELET_SYSCTLS,
  nameWrongSysctls,
  wrongSysctls,
} from '../kernel-settings.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/**
 * An overlay whose lower layer is the real /proc/sys: what exists stays live, what is missing
 * is added, what is written is kept. One mount, and no cost at run time.
 */
export const sysctlOverlay: Workaround = {
  id: 'sysctl-overlay',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom:
    'Failed to start ContainerManager: open /proc/sys/vm/panic_on_oom: no such file or directory',
  source: 'https://github.com/google/gvisor/blob/master/pkg/sentry/fsimpl/proc/tasks_sys.go',
  removeWhen: 'gVisor has these six sysctls and lets root write them',
  sysctls: Object.keys(KUBELET_SYSCTLS),
  needed: ({ facts, isolation, sysctls }) =>
    chooseKernelSettings(facts, isolation, sysctls) === 'overlay'
      ? `missing or not as the kubelet wants them: ${nameWrongSysctls(facts)}`
      : undefined,
  contribute: ({ facts }) => {
    const upper = join(PRIVATE_FILES, 'sysctl');
    const work = join(PRIVATE_FILES, 'sysctl-work');
    const files = wrongSysctls(facts).flatMap(([path, value]): Operation[] => [
      ['directory', join(upper, dirname(path)), '0755'],
      ['write', join(upper, path), '0644', `${value}\n`],
    ]);
    return {
      operations: {
        system: [
          ['directory', upper, '0755'],
          ['directory', work, '0755'],
          ...files,
          [
            'mount',
            'overlay',
            '/proc/sys',
            'overlay',
            '-',
            `lowerdir=/proc/sys,upperdir=${upper},workdir=${work}`,
          ],
        ],
      },
    };
  },
};
