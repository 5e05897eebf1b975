import { can } from '../../sandbox/facts.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/** How runc 1.5 hides a directory; see native/adapter/workarounds/masked_directories.c. */
export const maskedDirectories: Workaround = {
  id: 'masked-directories',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom: `runc create failed: can't mask dir "/sys/firmware": mount tmpfs: invalid argument`,
  source: 'https://github.com/opencontainers/runc/blob/main/libcontainer/rootfs_linux.go',
  removeWhen: 'releases of gVisor before July 2026 are out of use',
  needed: ({ facts }) =>
    can(facts, 'tmpfs-limits')
      ? undefined
      : `empty directories are not hidden from containers (${facts.probes['tmpfs-limits'].evidence})`,
  contribute: () => ({ adaptsContainers: true }),
};
