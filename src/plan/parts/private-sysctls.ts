import { WITH_NODE, type Workaround } from '../part.ts';

const SYSCTL = 'fs/file-max';

/** Privileged init containers that set kernel parameters; see native/adapter/workarounds/private_sysctls.c. */
export const privateSysctls: Workaround = {
  id: 'private-sysctls',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom: 'sysctl: error setting key "vm.max_map_count": Read-only file system',
  source: 'https://github.com/google/gvisor/blob/master/pkg/sentry/fsimpl/proc/tasks_sys.go',
  removeWhen: 'gVisor has fs.file-max and lets root write vm.max_map_count',
  sysctls: [SYSCTL],
  needed: ({ facts }) =>
    facts.sysctls[SYSCTL]?.result === 'yes'
      ? undefined
      : 'privileged containers see and write sysctls of their own, not those of the runner',
  contribute: () => ({ adaptsContainers: true }),
};
