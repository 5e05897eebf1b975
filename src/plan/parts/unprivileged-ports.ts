import { WITH_NODE, type Workaround } from '../part.ts';

export const UNPRIVILEGED_SYSCTLS = [
  'net/ipv4/ip_unprivileged_port_start',
  'net/ipv4/ping_group_range',
];

/** containerd sets these sysctls in every pod's sandbox when the kernel calls itself 4.11 or later. */
export const unprivilegedPorts: Workaround = {
  id: 'unprivileged-ports',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom:
    'runc create failed: open /proc/sys/net/ipv4/ip_unprivileged_port_start: no such file or directory',
  source: 'https://github.com/k3s-io/k3s/blob/master/pkg/agent/containerd/config_linux.go',
  removeWhen: 'gVisor has these two sysctls (binding a low port needs no capability there anyway)',
  sysctls: UNPRIVILEGED_SYSCTLS,
  needed: ({ facts }) => {
    const missing = UNPRIVILEGED_SYSCTLS.filter((path) => facts.sysctls[path]?.result !== 'yes');
    return missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`;
  },
  contribute: () => ({
    containerd: {
      "plugins.'io.containerd.cri.v1.runtime'": {
        enable_unprivileged_ports: false,
        enable_unprivileged_icmp: false,
      },
    },
  }),
};
