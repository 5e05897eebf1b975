import { join } from 'node:path';
import type { Layout } from '../../layout.ts';
import type { Operation } from '../../namespaces/operations.ts';
import type { Addresses } from '../addresses.ts';
import type { Workaround } from '../part.ts';

export const BRIDGE = 'cni0';
/** The node's own link on the bridge. */
export const NODE_LINK = 'node0';

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
  contribute: ({ addresses, agents, layout, mode }) => ({
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
        [
          'port',
          BRIDGE,
          NODE_LINK,
          agents === 0 ? `${addresses.node}/24` : onLink(addresses.node, addresses),
        ],
        // Never travelled: what would go there is redirected to the gateway first. k3s wants one, and
        // without a route connect() fails before any rule is asked.
        ['default-route', addresses.nowhere, NODE_LINK],
      ],
      files:
        mode === 'control-plane'
          ? []
          : [
              ...cniPlugins(layout),
              ...cniConfig(layout, {
                subnet: addresses.nodeCidr,
                ...(agents === 0 ? {} : { network: addresses.podCidr }),
                gateway: addresses.node,
                // The default route's neighbour must stay nobody.
                reserved: [addresses.nowhere],
                dataDir: '/var/lib/cni/gvisor-bridge',
              }),
            ],
    },
  }),
};

/** The address with the prefix of all pods' network, where nodes share one wire. */
export function onLink(address: string, { podCidr }: Pick<Addresses, 'podCidr'>): string {
  return `${address}${podCidr.slice(podCidr.indexOf('/'))}`;
}

/** What native/cni is told of a node. */
interface NodeNetwork {
  readonly subnet: string;
  readonly network?: string;
  readonly bridgeNetns?: string;
  readonly gateway: string;
  readonly reserved: readonly string[];
  readonly dataDir: string;
}

/** The plugins, bound in place: what is bound once must not be written again. */
function cniPlugins(layout: Layout): Operation[] {
  return ['gvisor-bridge', 'loopback'].flatMap(
    (plugin) =>
      [
        ['directory', '/opt/cni/bin', '0755'],
        ['write', join('/opt/cni/bin', plugin), '0755', ''],
        ['bind', join(layout.native, 'cni'), join('/opt/cni/bin', plugin), '-'],
      ] as const,
  );
}

export function cniConfig(layout: Layout, node: NodeNetwork): Operation[] {
  return [
    ['directory', '/etc/cni/net.d', '0755'],
    [
      'write',
      '/etc/cni/net.d/10-gvisor-bridge.conflist',
      '0644',
      JSON.stringify({
        cniVersion: '1.0.0',
        name: 'gvisor-bridge',
        plugins: [
          { type: 'gvisor-bridge', bridge: BRIDGE, ...node, gatewaySocket: layout.gatewaySocket },
        ],
      }),
    ],
  ];
}
