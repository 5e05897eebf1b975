import type { MetadataJson } from '../../kubernetes/wire.ts';

/**
 * The fields the controller reads, as the API server's JSON spells them. The types of
 * @kubernetes/client-node are those of its classes (a Date where JSON has a string), which nothing
 * here makes.
 */

export interface ServiceJson {
  metadata: MetadataJson;
  spec: {
    type?: string;
    clusterIP?: string;
    clusterIPs?: string[];
    externalIPs?: string[];
    ports?: ServicePortJson[];
    sessionAffinity?: string;
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } };
    internalTrafficPolicy?: string;
    externalTrafficPolicy?: string;
    loadBalancerClass?: string;
    loadBalancerSourceRanges?: string[];
    healthCheckNodePort?: number;
  };
  status?: { loadBalancer?: { ingress?: IngressJson[] } };
}

export interface ServicePortJson {
  name?: string;
  protocol?: string;
  port: number;
  nodePort?: number;
}

export interface IngressJson {
  ip?: string;
  hostname?: string;
  ipMode?: string;
}

export interface SliceJson {
  metadata: MetadataJson;
  addressType: string;
  /** Empty lists are null on the wire. */
  ports?: SlicePortJson[] | null;
  endpoints?: EndpointJson[] | null;
}

export interface SlicePortJson {
  name?: string;
  protocol?: string;
  port?: number;
}

export interface EndpointJson {
  addresses: string[];
  nodeName?: string;
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
}

export interface PodJson {
  metadata: MetadataJson;
  spec: {
    nodeName?: string;
    hostNetwork?: boolean;
    containers: ContainerJson[];
    initContainers?: ContainerJson[];
  };
  status?: { phase?: string; podIP?: string };
}

export interface ContainerJson {
  restartPolicy?: string;
  securityContext?: { privileged?: boolean; capabilities?: { add?: string[] } };
  ports?: ContainerPortJson[];
}

export interface ContainerPortJson {
  protocol?: string;
  hostIP?: string;
  hostPort?: number;
  containerPort: number;
}
