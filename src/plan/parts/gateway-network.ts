import { join } from 'node:path';
import type { Workaround } from '../part.ts';

export const BRIDGE = 'cni0';
/** The node's own link on the bridge. */
const NODE_LINK = 'node0';

/**
 * Pods on a bridge, everything that leaves it through the gateway (docs/architecture.md, "Network").
 */
export const gatewayNetwork: Workaround = {
  id: 'gateway-network',
  kind: 'foundation',
  where: { isolation: 'namespaces' },
  symptom:
    "iptables: Couldn't load match `comment': No such file or directory (kube-proxy, network policy); failed to create vxlan device: operation not supported (flannel)",
  source: 'https://github.com/google/gvisor/issues/170',
  removeWhen:
    'gVisor routes in nested network namespaces (issue 1833) and has the matches kube-proxy needs',
  needed: () =>
    'flannel, kube-proxy, kube-router and klipper-lb need links and iptables matches that gVisor lacks',
  contribute: ({ addresses, layout, mode }) => ({
    k3s: {
      'flannel-backend': 'none',
      'disable-kube-proxy': true,
      'disable-network-policy': true,
      // servicelb runs inside the cloud controller; with only one of the two off it still starts.
      'disable-cloud-controller': true,
      disable: ['servicelb'],
      'node-ip': addresses.node,
      'cluster-cidr': addresses.podCidr,
      'service-cidr': addresses.serviceCidr,
      'cluster-dns': addresses.clusterDns,
    },
    operations: {
      network: [
        ['link-up', 'lo'],
        ['bridge', BRIDGE],
        // Not the bridge itself: gVisor sends what a bridge says to every port, and what is said to
        // it as well, a copy for each pod (pkg/tcpip/stack/bridge.go). Between ports it knows whom.
        ['port', BRIDGE, NODE_LINK, `${addresses.node}/24`],
        // Never travelled: what would go there is redirected to the gateway first. k3s wants one, and
        // without a route connect() fails before any rule is asked.
        ['default-route', addresses.nowhere, NODE_LINK],
      ],
      files:
        mode === 'control-plane'
          ? []
          : [
              ...['gvisor-bridge', 'loopback'].flatMap(
                (plugin) =>
                  [
                    ['directory', '/opt/cni/bin', '0755'],
                    ['write', join('/opt/cni/bin', plugin), '0755', ''],
                    ['bind', join(layout.native, 'cni'), join('/opt/cni/bin', plugin), '-'],
                  ] as const,
              ),
              ['directory', '/etc/cni/net.d', '0755'],
              [
                'write',
                '/etc/cni/net.d/10-gvisor-bridge.conflist',
                '0644',
                JSON.stringify({
                  cniVersion: '1.0.0',
                  name: 'gvisor-bridge',
                  plugins: [
                    {
                      type: 'gvisor-bridge',
                      bridge: BRIDGE,
                      subnet: addresses.nodeCidr,
                      gateway: addresses.node,
                      // The default route's neighbour must stay nobody.
                      reserved: [addresses.nowhere],
                      dataDir: '/var/lib/cni/gvisor-bridge',
                      gatewaySocket: layout.gatewaySocket,
                    },
                  ],
                }),
              ],
            ],
    },
  }),
};
