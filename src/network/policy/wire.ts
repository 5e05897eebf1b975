import type { MetadataJson } from '../../kubernetes/wire.ts';
import type { ContainerPortJson } from '../services/wire.ts';

/** The fields of policies, pods and namespaces that policies are compiled from. */

export interface SelectorJson {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface PeerJson {
  ipBlock?: { cidr: string; except?: string[] };
  namespaceSelector?: SelectorJson;
  podSelector?: SelectorJson;
}

export interface PolicyPortJson {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}

export interface PolicyJson {
  metadata: MetadataJson;
  spec?: {
    podSelector?: SelectorJson;
    policyTypes?: string[];
    ingress?: { from?: PeerJson[]; ports?: PolicyPortJson[] }[];
    egress?: { to?: PeerJson[]; ports?: PolicyPortJson[] }[];
  };
}

export interface NamespaceJson {
  metadata: MetadataJson;
}

export interface LabelledPodJson {
  metadata: MetadataJson;
  spec: {
    hostNetwork?: boolean;
    containers: { ports?: (ContainerPortJson & { name?: string })[] }[];
  };
  status?: { phase?: string };
}
