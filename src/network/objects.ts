import type { V1EndpointSlice, V1Pod, V1Service } from '@kubernetes/client-node';

/**
 * The parts of Kubernetes objects the network is made from. Everything else (managed fields,
 * annotations, pod specs) is dropped as it arrives, which keeps the heap small; the library's types
 * describe what arrives and cost nothing at run time.
 */

export interface ObjectRef {
  readonly kind: 'Service' | 'Pod';
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

export interface Ingress {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ipMode?: string;
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
  readonly ingress: readonly Ingress[];
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
  readonly ip: string;
  readonly hostPorts: readonly HostPort[];
}

export function serviceOf(json: V1Service): Service {
  const { spec, status } = json;
  return {
    ref: refOf('Service', json),
    resourceVersion: json.metadata?.resourceVersion ?? '',
    type: spec?.type ?? 'ClusterIP',
    clusterIPs:
      spec?.type === 'ExternalName' ? [] : clusterIPsOf(spec).filter((ip) => ip && ip !== 'None'),
    externalIPs: spec?.externalIPs ?? [],
    ports: (spec?.ports ?? []).map((port) => ({
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
      port: port.port,
      nodePort: port.nodePort,
    })),
    affinitySeconds:
      spec?.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
        : undefined,
    internalLocal: spec?.internalTrafficPolicy === 'Local',
    externalLocal: spec?.externalTrafficPolicy === 'Local',
    loadBalancerClass: spec?.loadBalancerClass,
    sourceRanges: spec?.loadBalancerSourceRanges ?? [],
    ingress: (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname, ipMode }) => ({
      ...(ip && { ip }),
      ...(hostname && { hostname }),
      ...(ipMode && { ipMode }),
    })),
  };
}

/** Undefined for a slice that names no Service: nothing can be done with it. */
export function sliceOf(json: V1EndpointSlice): Slice | undefined {
  const service = json.metadata?.labels?.['kubernetes.io/service-name'];
  if (!service) return undefined;
  return {
    service: `${json.metadata?.namespace ?? ''}/${service}`,
    addressType: json.addressType,
    ports: (json.ports ?? []).flatMap(({ name, protocol, port }) =>
      // "When a port is nil, all ports": upstream kube-proxy ignores those too.
      port ? [{ name: name ?? '', protocol: protocol ?? 'TCP', port }] : [],
    ),
    // "Consumers should use the first address": the others are other names for the same endpoint.
    endpoints: (json.endpoints ?? []).flatMap(({ addresses: [address], nodeName, conditions }) =>
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

/** Undefined for a pod without host ports of its own, or without the address they would lead to. */
export function podOf(json: V1Pod): Pod | undefined {
  const { spec, status } = json;
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  // A pod on the node's own network listens there itself.
  if (!spec || spec.hostNetwork || ended || !status?.podIP) return undefined;
  const sidecars = (spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  const hostPorts = [...spec.containers, ...sidecars].flatMap((container) =>
    (container.ports ?? []).flatMap(({ protocol, hostIP, hostPort, containerPort }) =>
      hostPort
        ? [{ protocol: protocol ?? 'TCP', hostIP: hostIP ?? '', hostPort, containerPort }]
        : [],
    ),
  );
  return hostPorts.length ? { ref: refOf('Pod', json), ip: status.podIP, hostPorts } : undefined;
}

export function nameOf(ref: ObjectRef): string {
  return `${ref.namespace}/${ref.name}`;
}

/** The API server fills it in; this is its value. */
const DEFAULT_AFFINITY_SECONDS = 3 * 60 * 60;

function clusterIPsOf(spec: V1Service['spec']): string[] {
  return spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []);
}

function refOf(kind: ObjectRef['kind'], { metadata }: V1Service | V1Pod): ObjectRef {
  return {
    kind,
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    // The library says Date, the wire says string.
    created: metadata?.creationTimestamp ? new Date(metadata.creationTimestamp).getTime() : 0,
  };
}
