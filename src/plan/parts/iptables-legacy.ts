import { WITH_NODE, type Workaround } from '../part.ts';

export const iptablesLegacy: Workaround = {
  id: 'iptables-legacy',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom: 'iptables: Failed to initialize nft: Protocol not supported',
  source: 'https://github.com/k3s-io/k3s-root/blob/master/iptables-detect/iptables-detect.sh',
  removeWhen: 'gVisor has nftables by default',
  needed: () => 'gVisor has the legacy tables, k3s would choose nft',
  contribute: () => ({
    environment: { IPTABLES_MODE: 'legacy' },
    // The kubelet's own chains need the comment match, and nothing here uses them.
    kubelet: { makeIPTablesUtilChains: false },
  }),
};
