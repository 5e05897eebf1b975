import { WITH_NODE, type Workaround } from '../part.ts';

/** Stands for the sysctls of a network namespace, none of which gVisor has. */
const SYSCTL = 'net/ipv4/ip_unprivileged_port_start';

/**
 * What the kubelet lets any pod ask for where the kernel is new enough (pkg/kubelet/sysctl/safe_sysctls.go);
 * gVisor's calls itself 4.4.0 in some releases.
 */
const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  SYSCTL.replaceAll('/', '.'),
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];

/** A pod's securityContext.sysctls; see native/adapter/workarounds/pod_sysctls.c. */
export const podSysctls: Workaround = {
  id: 'pod-sysctls',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom:
    'runc create failed: open /proc/sys/net/ipv4/ip_unprivileged_port_start: no such file or directory',
  source: 'https://github.com/google/gvisor/issues/1833',
  removeWhen:
    "gVisor has the sysctls of a network namespace, and a pod's are not the whole sandbox's",
  sysctls: [SYSCTL],
  needed: ({ facts }) =>
    facts.sysctls[SYSCTL]?.result === 'yes'
      ? undefined
      : 'pods are shown the sysctls they ask for, where gVisor does as much without, or are refused',
  contribute: () => ({
    adaptsContainers: true,
    kubelet: { allowedUnsafeSysctls: SAFE_SYSCTLS },
  }),
};
