import { isIPv4 } from 'node:net';

import { endpointsOf, type PortEndpoints } from './endpoints.ts';
import type { Notice } from '../notice.ts';
import type { NodeAddress } from '../config.ts';
import type { HostPort, ObjectRef, Pod, Service, Slice } from './objects.ts';

/** The server's node, on which the gateway is. */
export interface Node extends NodeAddress {
  /** The others on its bridge, whose own addresses the gateway listens on, too. */
  readonly agents: readonly NodeAddress[];
  /** The /24 of which load balancers get addresses, beside all others of the cluster. */
  readonly balancers: string;
}

/** A frontend an object asks for. Two objects may ask for the same one; compile.ts decides. */
export interface Claim {
  /** `tcp 10.43.0.10:53` or, for every address of the node, `tcp *:80`. */
  readonly key: string;
  /** Set for one address of the node: the frontend on all of them, which cannot be beside it. */
  readonly within: string | undefined;
  /** The rest of the gateway's `set` line. */
  readonly value: string;
  readonly by: ObjectRef;
  /** For people: `nodePort 30080`. */
  readonly what: string;
}

export interface Claims {
  readonly claims: readonly Claim[];
  readonly notices: readonly Notice[];
  /** Present where a load balancer was asked for and this controller is the one to provide it. */
  readonly loadBalancer?: LoadBalancer;
}

export interface LoadBalancer {
  readonly service: Service;
  readonly address: string;
  /** All of these must be in force before the address is announced. */
  readonly keys: readonly string[];
  /** Whether traffic from outside could be answered, going by externalTrafficPolicy. */
  readonly hasEndpoints: boolean;
}

/** What a Service asks for, given the EndpointSlices that belong to it and its address as a load balancer. */
export function claimsOfService(
  service: Service,
  slices: readonly Slice[],
  node: Node,
  balancer: string | undefined,
): Claims {
  const addresses = service.clusterIPs.filter(isIPv4);
  if (service.clusterIPs.length === 0) return NOTHING;

  const notices = unsupportedAddresses(service, slices);
  const claims: Claim[] = [];
  const balanced: string[] = [];
  let unreachable = 0;
  const provides = providesLoadBalancer(service);
  if (provides && service.sourceRanges.length > 0) notices.push(sourceRanges(service));
  if (provides && balancer === undefined) notices.push(noAddress(service, node));
  if (provides && service.healthCheckNodePort) notices.push(healthCheckNodePort(service));

  for (const port of service.ports) {
    const protocol = GATEWAY_PROTOCOL.get(port.protocol);
    if (!protocol) {
      notices.push(unsupportedProtocol(service.ref, port.protocol, `port ${port.port}`));
      continue;
    }
    const { cluster, on } = endpointsOf(port, slices);
    const local = on(node.name);
    const claim = (address: string, number: number, endpoints: readonly string[], what: string) => {
      const at = frontend(protocol, address, number, node);
      claims.push({ ...at, value: value(service, endpoints), by: service.ref, what });
      return at.key;
    };
    const external = service.externalLocal ? onAny(node, on) : cluster;
    const claimOnNodes = (number: number, what: string) => {
      if (service.externalLocal && node.agents.length > 0) {
        claim(node.ip, number, local, what);
        // The runner's, which is on no node.
        claim(LOOPBACK, number, external, what);
      } else {
        claim('*', number, external, what);
      }
      for (const { name, ip } of node.agents) {
        claim(ip, number, service.externalLocal ? on(name) : external, what);
      }
    };
    for (const address of addresses) {
      claim(address, port.port, service.internalLocal ? local : cluster, 'clusterIP');
    }
    for (const address of service.externalIPs.filter(isIPv4)) {
      claim(address, port.port, external, 'externalIP');
    }
    if (port.nodePort) claimOnNodes(port.nodePort, `nodePort ${port.nodePort}`);
    if (service.type !== 'LoadBalancer') continue;
    if (provides && balancer !== undefined) {
      balanced.push(claim(balancer, port.port, external, 'load balancer address'));
      // For steps, whose only address of the cluster is the runner's 127.0.0.1.
      const inside = `inside the cluster it is ${balancer}:${port.port}`;
      claim('*', port.port, external, `load balancer port ${port.port}; ${inside}`);
      if (external.length === 0) unreachable += 1;
    }
    // Addresses another implementation announced: kube-proxy short-circuits those from inside.
    for (const { ip, ipMode } of service.ingress) {
      const isOwn = ip === balancer || nodesOf(node).some((one) => one.ip === ip);
      if (ip && isIPv4(ip) && !isOwn && ipMode !== 'Proxy') {
        claim(ip, port.port, external, 'load balancer address');
      }
    }
  }
  if (!provides || balancer === undefined) return { claims, notices };
  const hasEndpoints = unreachable < balanced.length;
  return {
    claims,
    notices,
    loadBalancer: { service, address: balancer, keys: balanced, hasEndpoints },
  };
}

/** What a pod asks for with `hostPort`. */
export function claimsOfPod(pod: Pod, node: Node): Claims {
  const claims: Claim[] = [];
  const notices: Notice[] = [];
  for (const port of pod.hostPorts) {
    const protocol = GATEWAY_PROTOCOL.get(port.protocol);
    if (!protocol) {
      notices.push(unsupportedProtocol(pod.ref, port.protocol, `hostPort ${port.hostPort}`));
      continue;
    }
    const address = hostAddress(port, pod, node);
    if (address === undefined || !isIPv4(pod.ip)) {
      notices.push({
        about: pod.ref,
        reason: 'IPv6NotSupported',
        message: `hostPort ${port.hostPort} on ${port.hostIP || pod.ip}: this cluster has IPv4 only`,
      });
      continue;
    }
    claims.push({
      ...frontend(protocol, address, port.hostPort, node),
      value: `${pod.ip}:${port.containerPort}`,
      by: pod.ref,
      what: `hostPort ${port.hostPort}`,
    });
  }
  return { claims, notices };
}

function nodesOf(node: Node): readonly NodeAddress[] {
  return [node, ...node.agents];
}

/** What is local to some node. */
function onAny(node: Node, on: PortEndpoints['on']): readonly string[] {
  return [...new Set(nodesOf(node).flatMap(({ name }) => on(name)))].sort();
}

/** A load-balancer class names somebody else's implementation, as it does to k3s's servicelb. */
export function providesLoadBalancer(service: Service): boolean {
  return service.type === 'LoadBalancer' && service.loadBalancerClass === undefined;
}

const LOOPBACK = '127.0.0.1';

const NOTHING: Claims = { claims: [], notices: [] };

const GATEWAY_PROTOCOL: ReadonlyMap<string, string> = new Map([
  ['TCP', 'tcp'],
  ['UDP', 'udp'],
]);

function frontend(
  protocol: string,
  address: string,
  port: number,
  node: Node,
): Pick<Claim, 'key' | 'within'> {
  const own = address === node.ip || address.startsWith('127.');
  return {
    key: `${protocol} ${address}:${port}`,
    within: own ? `${protocol} *:${port}` : undefined,
  };
}

function value({ affinitySeconds }: Service, endpoints: readonly string[]): string {
  const words = affinitySeconds === undefined ? [] : [`affinity=${affinitySeconds}`];
  return [...words, ...endpoints].join(' ');
}

/** An agent's pods have its address alone: its loopback is its own. */
function hostAddress({ hostIP }: HostPort, pod: Pod, node: Node): string | undefined {
  if (hostIP === '' || hostIP === '0.0.0.0' || hostIP === '::') {
    return node.agents.find(({ name }) => name === pod.nodeName)?.ip ?? '*';
  }
  return isIPv4(hostIP) ? hostIP : undefined;
}

function unsupportedProtocol(about: ObjectRef, protocol: string, what: string): Notice {
  return {
    about,
    reason: `${protocol}NotSupported`,
    message: `${what} is not forwarded: gVisor's network has TCP and UDP only, not ${protocol}`,
  };
}

function unsupportedAddresses(service: Service, slices: readonly Slice[]): Notice[] {
  const notices: Notice[] = [];
  const about = service.ref;
  const addresses = [...service.clusterIPs, ...service.externalIPs].filter((ip) => !isIPv4(ip));
  if (addresses.length > 0 || slices.some(({ addressType }) => addressType === 'IPv6')) {
    const of = addresses.length > 0 ? addresses.join(', ') : 'IPv6 endpoints';
    const message = `${of}: not forwarded, this cluster has IPv4 only`;
    notices.push({ about, reason: 'IPv6NotSupported', message });
  }
  if (slices.some(({ addressType }) => addressType === 'FQDN')) {
    const message =
      'EndpointSlices of addressType FQDN are not forwarded (nor are they by kube-proxy); use IPv4';
    notices.push({ about, reason: 'FQDNNotSupported', message });
  }
  return notices;
}

function noAddress({ ref: about }: Service, { balancers }: Node): Notice {
  return {
    about,
    reason: 'NoAddressLeft',
    message: `no load balancer address is left in ${balancers}; delete one, or use a node port`,
  };
}

function sourceRanges(service: Service): Notice {
  return {
    about: service.ref,
    reason: 'SourceRangesNotSupported',
    message:
      `loadBalancerSourceRanges ${service.sourceRanges.join(', ')} are not enforced: ` +
      "the port is reachable from pods, the node and the runner's own 127.0.0.1 only",
  };
}

function healthCheckNodePort(service: Service): Notice {
  return {
    about: service.ref,
    reason: 'HealthCheckNodePortNotSupported',
    message:
      `healthCheckNodePort ${String(service.healthCheckNodePort)} is not served: ` +
      'it is for load balancers outside, which choose among nodes; there are none here',
  };
}
