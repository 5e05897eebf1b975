import { dirname, join } from 'node:path';
import { PRIVATE_FILES } from '../../layout.ts';
import type { Operation } from '../../namespaces/operations.ts';
import type { Facts } from '../../sandbox/facts.ts';
import type { Workaround } from '../part.ts';

/**
 * What the kubelet demands of the kernel, path below /proc/sys and value: setupKernelTunables in
 * pkg/kubelet/cm/container_manager_linux.go. The values are those it would set.
 */
export const KUBELET_SYSCTLS: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

/** The sysctls that are missing, or cannot be what the kubelet wants. */
function wrong(facts: Facts): [path: string, value: string][] {
  return Object.entries(KUBELET_SYSCTLS).filter(([path, value]) => {
    const answer = facts.sysctls[path];
    return answer?.result !== 'yes' || answer.evidence !== value;
  });
}

/**
 * An overlay whose lower layer is the real /proc/sys: what exists stays live, what is missing
 * is added, what is written is kept. One mount, and no cost at run time.
 */
export const sysctlOverlay: Workaround = {
  id: 'sysctl-overlay',
  symptom:
    'Failed to start ContainerManager: open /proc/sys/vm/panic_on_oom: no such file or directory',
  source: 'https://github.com/google/gvisor/blob/master/pkg/sentry/fsimpl/proc/tasks_sys.go',
  removeWhen: 'gVisor has these six sysctls and lets root write them',
  sysctls: Object.keys(KUBELET_SYSCTLS),
  needed: ({ facts, mode, isolation, sysctls }) => {
    const paths = wrong(facts).map(([path]) => path);
    return paths.length === 0 ||
      mode === 'control-plane' ||
      isolation === 'none' ||
      sysctls === 'ptrace'
      ? undefined
      : `missing or not as the kubelet wants them: ${paths.join(', ')}`;
  },
  contribute: ({ facts }) => {
    const upper = join(PRIVATE_FILES, 'sysctl');
    const work = join(PRIVATE_FILES, 'sysctl-work');
    const files = wrong(facts).flatMap(([path, value]): Operation[] => [
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
