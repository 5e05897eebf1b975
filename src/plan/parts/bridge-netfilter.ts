import { join } from 'node:path';
import { PRIVATE_FILES } from '../../layout.ts';
import type { Workaround } from '../part.ts';

export const BRIDGE_NETFILTER_SYSCTL = 'net/bridge/bridge-nf-call-iptables';

/**
 * Where br_netfilter is loaded, frames between a bridge's ports meet the rules that are meant for the
 * gateway's own traffic, and the first of them drops what comes in by the bridge. k3s sets this sysctl
 * to 1 for kube-proxy, which does not run here: it is set to 0, and k3s is given a file to write to.
 */
export const bridgeNetfilter: Workaround = {
  id: 'bridge-netfilter',
  kind: 'workaround',
  where: { isolation: 'namespaces' },
  symptom:
    'CoreDNS never ready: dial tcp 10.43.0.1:443: i/o timeout; no frame passes from a pod to the node',
  source: 'https://github.com/k3s-io/k3s/blob/master/pkg/agent/syssetup/setup.go',
  removeWhen: 'k3s leaves this sysctl alone without kube-proxy',
  sysctls: [BRIDGE_NETFILTER_SYSCTL],
  needed: ({ facts }) =>
    facts.sysctls[BRIDGE_NETFILTER_SYSCTL]?.result === 'yes'
      ? `${BRIDGE_NETFILTER_SYSCTL} exists, and k3s would set it`
      : undefined,
  contribute: () => {
    const sysctl = join('/proc/sys', BRIDGE_NETFILTER_SYSCTL);
    const decoy = join(PRIVATE_FILES, 'bridge-nf-call-iptables');
    return {
      operations: {
        network: [
          ['set', sysctl, '0'],
          ['write', decoy, '0644', '0\n'],
          ['bind', decoy, sysctl, '-'],
        ],
      },
    };
  },
};
