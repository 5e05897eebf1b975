import type { Node } from '../../../../src/network/services/claims.ts';
import type { Objects } from '../../../../src/network/services/compile.ts';
import { podOf, serviceOf, sliceOf } from '../../../../src/network/services/objects.ts';
import type {
  ContainerPortJson,
  EndpointJson,
  PodJson,
  ServiceJson,
  SliceJson,
} from '../../../../src/network/services/wire.ts';

/** Kubernetes objects as the API serves them, with what the tests do not care about filled in. */

export const NODE: Node = {
  name: 'node',
  ip: '10.42.0.1',
  agents: [],
  balancers: '10.44.0.0/24',
};
/** What the Service `web` has as a load balancer. */
export const BALANCED = '10.44.0.86';

type ServiceFields = ServiceJson['spec'] & {
  name?: string;
  /** Minutes past an hour; decides who is older. */
  minute?: number;
  status?: ServiceJson['status'];
};

export function service({
  name = 'web',
  minute = 0,
  status,
  ...spec
}: ServiceFields = {}): ServiceJson {
  return {
    metadata: metadata('Service', name, minute),
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.43.0.10',
      clusterIPs: [spec.clusterIP ?? '10.43.0.10'],
      sessionAffinity: 'None',
      ports: [{ port: 80, protocol: 'TCP' }],
      ...spec,
    },
    status: status ?? { loadBalancer: {} },
  };
}

type EndpointFields = NonNullable<EndpointJson['conditions']> & { nodeName?: string };

export function endpoint(
  address: string,
  { nodeName = NODE.name, ...conditions }: EndpointFields = {},
): EndpointJson {
  return { addresses: [address], nodeName, conditions: { ready: true, ...conditions } };
}

interface SliceFields {
  of?: string;
  addressType?: string;
  ports?: SliceJson['ports'];
}

export function slice(
  endpoints: EndpointJson[] | null,
  {
    of = 'web',
    addressType = 'IPv4',
    ports = [{ name: '', port: 8080, protocol: 'TCP' }],
  }: SliceFields = {},
): SliceJson {
  return {
    metadata: { namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
    addressType,
    ports,
    endpoints,
  };
}

interface PodFields {
  name?: string;
  minute?: number;
  spec?: Partial<PodJson['spec']>;
  status?: PodJson['status'];
}

export function pod(
  ports: ContainerPortJson[],
  { name = 'pod', minute = 0, spec, status }: PodFields = {},
): PodJson {
  return {
    metadata: metadata('Pod', name, minute),
    spec: { containers: [{ ports }], ...spec },
    status: status ?? { phase: 'Running', podIP: '10.42.0.9' },
  };
}

export function objects(
  services: ServiceJson[],
  slices: SliceJson[] = [],
  pods: PodJson[] = [],
): Objects {
  return {
    services: services.map(serviceOf),
    slices: slices.flatMap((json) => sliceOf(json) ?? []),
    pods: pods.flatMap((json) => podOf(json) ?? []),
  };
}

function metadata(kind: string, name: string, minute: number) {
  return {
    name,
    namespace: 'default',
    uid: `${kind}-${name}`,
    resourceVersion: '1',
    creationTimestamp: `2026-11-21T10:${String(minute).padStart(2, '0')}:00Z`,
  };
}
