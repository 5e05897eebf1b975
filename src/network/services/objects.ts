import type { MetadataJson } from '../../kubernetes/wire.ts';
import type { ContainerJson, IngressJson, PodJson, ServiceJson, SliceJson } from './wire.ts';

/**
 * The parts of Kubernetes objects the network is made from. Everything else (managed fields,
 * annotations, pod specs) is dropped as it arrives, which keeps the heap small.
 */

export interface ObjectRef {
  readonly kind: 'Service' | 'Pod' | 'NetworkPolicy';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Milliseconds since the epoch; the older of two claimants of one port keeps it. */
  readonly created: number;
}

export interface ServicePort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  /** Undefined where none was allocated. */
  readonly nodePort: number | undefined;
}

export interface Service {
  readonly ref: ObjectRef;
  readonly resourceVersion: string;
  readonly type: string;
  /** Empty for headless and external-name Services. */
  readonly clusterIPs: readonly string[];
  readonly externalIPs: readonly string[];
  readonly ports: readonly ServicePort[];
  /** Seconds a client stays with its endpoint; undefined without session affinity. */
  readonly affinitySeconds: number | undefined;
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  readonly loadBalancerClass: string | undefined;
  readonly sourceRanges: readonly string[];
  /** Undefined where none was allocated. */
  readonly healthCheckNodePort: number | undefined;
  readonly ingress: readonly IngressJson[];
}

export interface Endpoint {
  readonly address: string;
  readonly nodeName: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export interface Slice {
  /** `namespace/name` of the Service it belongs to. */
  readonly service: string;
  readonly addressType: string;
  readonly ports: readonly { name: string; protocol: string; port: number }[];
  readonly endpoints: readonly Endpoint[];
}

export interface HostPort {
  readonly protocol: string;
  /** Empty for every address of the node. */
  readonly hostIP: string;
  readonly hostPort: number;
  readonly containerPort: number;
}

export interface Pod {
  readonly ref: ObjectRef;
  /** Empty until it has one; then it has no host ports either. */
  readonly ip: string;
  readonly nodeName: string;
  readonly hostPorts: readonly HostPort[];
  /** Whether one of its containers may write packet filter rules, as a mesh's init container does. */
  readonly writesRules: boolean;
}

export function serviceOf({ metadata, spec, status }: ServiceJson): Service {
  const { ports = [], sessionAffinityConfig } = spec;
  return {
    ref: refOf('Service', metadata),
    resourceVersion: metadata.resourceVersion ?? '',
    type: spec.type ?? 'ClusterIP',
    clusterIPs: clusterIPsOf(spec),
    externalIPs: spec.externalIPs ?? [],
    ports: ports.map(({ name = '', protocol = 'TCP', port, nodePort }) => ({
      name,
      protocol,
      port,
      nodePort,
    })),
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
        : undefined,
    internalLocal: spec.internalTrafficPolicy === 'Local',
    externalLocal: spec.externalTrafficPolicy === 'Local',
    loadBalancerClass: spec.loadBalancerClass,
    sourceRanges: spec.loadBalancerSourceRanges ?? [],
    healthCheckNodePort: spec.healthCheckNodePort,
    ingress: status?.loadBalancer?.ingress ?? [],
  };
}

/** Undefined for a slice that names no Service: nothing can be done with it. */
export function sliceOf({ metadata, addressType, ports, endpoints }: SliceJson): Slice | undefined {
  const service = metadata.labels?.['kubernetes.io/service-name'];
  if (!service) return undefined;
  return {
    service: `${metadata.namespace ?? ''}/${service}`,
    addressType,
    ports: (ports ?? []).flatMap(({ name = '', protocol = 'TCP', port }) =>
      // "When a port is nil, all ports": upstream kube-proxy ignores those too.
      port ? [{ name, protocol, port }] : [],
    ),
    // "Consumers should use the first address": the others are other names for the same endpoint.
    endpoints: (endpoints ?? []).flatMap(({ addresses: [address], nodeName, conditions }) =>
      address
        ? [
            {
              address,
              nodeName,
              ready: conditions?.ready ?? true,
              serving: conditions?.serving ?? true,
              terminating: conditions?.terminating ?? false,
            },
          ]
        : [],
    ),
  };
}

/** Undefined for a pod that the gateway needs no line about. */
export function podOf({ metadata, spec, status }: PodJson): Pod | undefined {
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  // A pod on the node's own network listens there itself.
  if (spec.hostNetwork || ended) return undefined;
  const { containers, initContainers = [] } = spec;
  const pod: Pod = {
    ref: refOf('Pod', metadata),
    ip: status?.podIP ?? '',
    nodeName: spec.nodeName ?? '',
    hostPorts: status?.podIP ? hostPortsOf(containers, initContainers) : [],
    writesRules: [...initContainers, ...containers].some(mayWriteRules),
  };
  return pod.hostPorts.length > 0 || pod.writesRules ? pod : undefined;
}

function hostPortsOf(
  containers: readonly ContainerJson[],
  initContainers: readonly ContainerJson[],
): HostPort[] {
  const sidecars = initContainers.filter((c) => c.restartPolicy === 'Always');
  return [...containers, ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ protocol = 'TCP', hostIP = '', hostPort, containerPort }) =>
      hostPort ? [{ protocol, hostIP, hostPort, containerPort }] : [],
    ),
  );
}

function mayWriteRules({ securityContext }: ContainerJson): boolean {
  const added = securityContext?.capabilities?.add ?? [];
  return (
    securityContext?.privileged === true ||
    added.some((name) => ['ALL', 'NET_ADMIN', 'CAP_NET_ADMIN'].includes(name.toUpperCase()))
  );
}

export function nameOf(ref: ObjectRef): string {
  return `${ref.namespace}/${ref.name}`;
}

/** The API server fills it in; this is its value. */
const DEFAULT_AFFINITY_SECONDS = 3 * 60 * 60;

function clusterIPsOf({ type, clusterIP, clusterIPs }: ServiceJson['spec']): string[] {
  if (type === 'ExternalName') return [];
  return (clusterIPs ?? [clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None');
}

export function refOf(kind: ObjectRef['kind'], metadata: MetadataJson): ObjectRef {
  const { namespace = '', name = '', uid = '', creationTimestamp } = metadata;
  return {
    kind,
    namespace,
    name,
    uid,
    created: creationTimestamp ? Date.parse(creationTimestamp) : 0,
  };
}
