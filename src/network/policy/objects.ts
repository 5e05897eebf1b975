import { refOf, type ObjectRef } from '../services/objects.ts';
import { selectorOf, type Labels, type Selector } from './selector.ts';
import type {
  LabelledPodJson,
  NamespaceJson,
  PeerJson,
  PolicyJson,
  PolicyPortJson,
} from './wire.ts';

/** The parts of Kubernetes objects that policies are made from; the rest is dropped as it arrives. */

export type Peer =
  | { readonly cidr: string; readonly except: readonly string[] }
  /** Without `namespaces` the policy's own. */
  | { readonly namespaces: Selector | undefined; readonly pods: Selector };

export interface PolicyPort {
  readonly protocol: string;
  /** A number, a name that is looked up on the destination, or undefined for all. */
  readonly port: number | string | undefined;
  readonly endPort: number | undefined;
}

/** What one rule of a policy allows: any of the ports with any of the peers. */
export interface Allowance {
  /** Undefined: everybody. */
  readonly peers: readonly Peer[] | undefined;
  /** Undefined: all. */
  readonly ports: readonly PolicyPort[] | undefined;
}

export interface Policy {
  readonly ref: ObjectRef;
  readonly namespace: string;
  readonly pods: Selector;
  /** Undefined where the policy does not isolate in that direction. */
  readonly ingress: readonly Allowance[] | undefined;
  readonly egress: readonly Allowance[] | undefined;
}

export interface LabelledPod {
  readonly ref: ObjectRef;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly ports: readonly NamedPort[];
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

export interface Namespace {
  readonly name: string;
  readonly labels: Labels;
}

export function policyOf({ metadata, spec = {} }: PolicyJson): Policy {
  const { podSelector = {}, ingress = [], egress = [] } = spec;
  // The API server fills them in, by the same rule.
  const types = spec.policyTypes ?? (spec.egress ? ['Ingress', 'Egress'] : ['Ingress']);
  return {
    ref: refOf('NetworkPolicy', metadata),
    namespace: metadata.namespace ?? '',
    pods: selectorOf(podSelector),
    ingress: types.includes('Ingress')
      ? ingress.map(({ from, ports }) => allowanceOf(from, ports))
      : undefined,
    egress: types.includes('Egress')
      ? egress.map(({ to, ports }) => allowanceOf(to, ports))
      : undefined,
  };
}

/** Undefined for a pod that policies are not about: one on the node's network, or one that ended. */
export function labelledPodOf({
  metadata,
  spec,
  status,
}: LabelledPodJson): LabelledPod | undefined {
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (spec.hostNetwork || ended) return undefined;
  return {
    ref: refOf('Pod', metadata),
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    labels: metadata.labels ?? {},
    ports: spec.containers.flatMap(({ ports = [] }) =>
      ports.flatMap(({ name, protocol = 'TCP', containerPort }) =>
        name ? [{ name, protocol, port: containerPort }] : [],
      ),
    ),
  };
}

export function namespaceOf({ metadata }: NamespaceJson): Namespace {
  return { name: metadata.name ?? '', labels: metadata.labels ?? {} };
}

/** Empty lists mean what missing ones do. */
function allowanceOf(
  peers: readonly PeerJson[] = [],
  ports: readonly PolicyPortJson[] = [],
): Allowance {
  return {
    peers: peers.length > 0 ? peers.map(peerOf) : undefined,
    ports:
      ports.length > 0
        ? ports.map(({ protocol = 'TCP', port, endPort }) => ({ protocol, port, endPort }))
        : undefined,
  };
}

function peerOf({ ipBlock, namespaceSelector, podSelector = {} }: PeerJson): Peer {
  if (ipBlock) return { cidr: ipBlock.cidr, except: ipBlock.except ?? [] };
  return {
    namespaces: namespaceSelector && selectorOf(namespaceSelector),
    pods: selectorOf(podSelector),
  };
}
