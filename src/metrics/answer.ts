import type { Rate, Samples } from './sampler.ts';

export const GROUP = 'metrics.k8s.io';
export const VERSION = 'v1beta1';
const API_VERSION = `${GROUP}/${VERSION}`;
const BASE = `/apis/${API_VERSION}`;

/** What the API server must be asked before a request can be answered. */
export interface Question {
  readonly kind: 'Pod' | 'Node';
  /** Of a list or of one object, in the core API. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly single: boolean;
}

interface Metadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PodJson {
  readonly metadata: Metadata;
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
  readonly state?: { readonly running?: object };
}

export interface NodeJson {
  readonly metadata: Metadata;
}

/** The documents of discovery, which need nothing from the API server. */
export function discovery(path: string): object | undefined {
  switch (path) {
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [GROUP_JSON] };
    case `/apis/${GROUP}`:
      return { kind: 'APIGroup', apiVersion: 'v1', ...GROUP_JSON };
    case BASE:
      return {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: API_VERSION,
        resources: [resource('nodes', 'NodeMetrics', false), resource('pods', 'PodMetrics', true)],
      };
    default:
      return undefined;
  }
}

const GROUP_JSON = {
  name: GROUP,
  versions: [{ groupVersion: API_VERSION, version: VERSION }],
  preferredVersion: { groupVersion: API_VERSION, version: VERSION },
};

function resource(name: string, kind: string, namespaced: boolean): object {
  return { name, singularName: '', namespaced, kind, verbs: ['get', 'list'] };
}

/** Selectors are the API server's to understand: it is asked for the same objects of the core API. */
export function questionOf(url: URL): Question | undefined {
  const path = url.pathname.startsWith(`${BASE}/`) ? url.pathname.slice(BASE.length) : '';
  const match = /^(?:\/namespaces\/[^/]+)?\/(pods|nodes)(\/[^/]+)?$/.exec(path);
  if (match === null || (match[1] === 'nodes' && path.startsWith('/namespaces/'))) {
    return undefined;
  }
  const query: Record<string, string> = {};
  for (const name of ['labelSelector', 'fieldSelector']) {
    const value = url.searchParams.get(name);
    if (value !== null && value !== '') query[name] = value;
  }
  return {
    kind: match[1] === 'pods' ? 'Pod' : 'Node',
    path: `/api/v1${path}`,
    query,
    single: match[2] !== undefined,
  };
}

/** Undefined where there is no sample yet. */
export function podMetrics({ metadata, status }: PodJson, samples: Samples): object | undefined {
  const running = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ].filter(({ state }) => state?.running !== undefined);
  const measured = running.flatMap(({ name, containerID = '' }) => {
    const rate = samples.container(containerID.slice(containerID.lastIndexOf('/') + 1));
    return rate === undefined ? [] : [{ name, rate }];
  });
  const [first] = measured;
  // A pod of which a part is missing would look idle to an autoscaler.
  if (first === undefined || measured.length < running.length) {
    return undefined;
  }
  return {
    ...about('PodMetrics', metadata, first.rate),
    containers: measured.map(({ name, rate }) => ({ name, usage: usageOf(rate) })),
  };
}

export function nodeMetrics({ metadata }: NodeJson, samples: Samples): object | undefined {
  const rate = samples.node;
  return rate && { ...about('NodeMetrics', metadata, rate), usage: usageOf(rate) };
}

export function listOf(kind: 'Pod' | 'Node', items: readonly object[]): object {
  return { kind: `${kind}MetricsList`, apiVersion: API_VERSION, metadata: {}, items };
}

export function failure(code: number, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message, metadata: {} };
}

function about(kind: string, { name, namespace, labels }: Metadata, { at, window }: Rate): object {
  const timestamp = new Date(at).toISOString().replace(/\.\d+/, '');
  return {
    kind,
    apiVersion: API_VERSION,
    metadata: { name, namespace, labels, creationTimestamp: timestamp },
    timestamp,
    window: `${window.toFixed(3)}s`,
  };
}

function usageOf({ cpu, memory }: Rate): object {
  return { cpu: `${Math.round(cpu)}n`, memory: `${Math.round(memory / 1024)}Ki` };
}
