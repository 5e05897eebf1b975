import { errorMessage } from '../errors.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { troubleOf, troubleOfNode, type EventObject, type KubernetesObject } from './objects.ts';

/** What the cluster itself says is wrong, a line each; empty where all is well. */
export interface Diagnosis {
  readonly nodes: readonly string[];
  readonly pods: readonly string[];
  /** Claims without a volume, each with what was last said of it. */
  readonly claims: readonly string[];
  /** The last Warning events, the newest last. */
  readonly events: readonly string[];
  /** What could not be asked. */
  readonly unknown: readonly string[];
}

export const NOTHING_KNOWN: Diagnosis = {
  nodes: [],
  pods: [],
  claims: [],
  events: [],
  unknown: [],
};

const LAST_EVENTS = 20;

/** Asks the API server; what it does not answer is part of the diagnosis. */
export async function diagnose(client: ApiClient, signal: AbortSignal): Promise<Diagnosis> {
  const unknown: string[] = [];
  const list = async <T extends KubernetesObject>(path: string): Promise<readonly T[]> => {
    try {
      const { items } = (await client.request('GET', path, { signal })) as { items: T[] };
      return items;
    } catch (error) {
      unknown.push(errorMessage(signal.aborted ? signal.reason : error));
      return [];
    }
  };
  const [nodes, pods, claims, events] = await Promise.all([
    list('/api/v1/nodes'),
    list('/api/v1/pods'),
    list('/api/v1/persistentvolumeclaims'),
    list<EventObject>('/api/v1/events'),
  ]);
  return {
    nodes: nodes.flatMap(describeNode),
    pods: pods.flatMap((pod) => {
      const trouble = troubleOf(pod);
      return trouble === undefined ? [] : [`${nameOf(pod)}: ${trouble}`];
    }),
    claims: claims.flatMap((claim) => describeClaim(claim, events)),
    events: lastWarnings(events),
    unknown,
  };
}

/** Conditions that should not be as they are: Ready that is not, pressure that is. */
export function describeNode(node: KubernetesObject): string[] {
  const name = node.metadata.name ?? '?';
  const notReady = troubleOfNode(node);
  const pressures = (node.status?.conditions ?? []).filter(
    ({ type, status }) => type !== 'Ready' && status === 'True',
  );
  return [
    ...(notReady === undefined ? [] : [`${name}: ${notReady}`]),
    ...pressures.map(({ type, message }) => `${name}: ${type}: ${message ?? ''}`),
  ];
}

/** Nobody but the claim's own events says why it has no volume. */
function describeClaim(claim: KubernetesObject, events: readonly EventObject[]): string[] {
  if (claim.status?.phase !== 'Pending') {
    return [];
  }
  const { namespace, name } = claim.metadata;
  const last = events
    .filter(
      ({ involvedObject: of }) =>
        of?.kind === 'PersistentVolumeClaim' && of.namespace === namespace && of.name === name,
    )
    .sort((a, b) => timeOf(a) - timeOf(b))
    .at(-1);
  if (last?.reason === 'WaitForFirstConsumer') {
    return [
      `${nameOf(claim)}: no pod uses it, and its class makes a volume for the first one that does; "helm --wait" waits for the volume all the same`,
    ];
  }
  const said =
    last === undefined ? 'nothing was said of it' : `${last.reason ?? ''}: ${last.message ?? ''}`;
  return [`${nameOf(claim)}: Pending: ${said}`];
}

/** "3 x default/web: FailedScheduling: 0/1 nodes are available", the one seen last at the end. */
export function lastWarnings(events: readonly EventObject[]): string[] {
  return events
    .filter(({ type }) => type === 'Warning')
    .sort((a, b) => timeOf(a) - timeOf(b))
    .slice(-LAST_EVENTS)
    .map(({ count = 1, involvedObject, reason = '', message = '' }) => {
      const { kind = '', namespace, name = '' } = involvedObject ?? {};
      const times = count > 1 ? `${count} x ` : '';
      const where = namespace === undefined ? name : `${namespace}/${name}`;
      return `${times}${kind} ${where}: ${reason}: ${message.trim()}`;
    });
}

function timeOf({ series, lastTimestamp, eventTime, metadata }: EventObject): number {
  const time = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  return time === undefined ? 0 : Date.parse(time);
}

function nameOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** All of it, for a log: each part under its heading. */
export function renderDiagnosis(diagnosis: Diagnosis): string[] {
  const part = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
  return [
    ...part('Nodes:', diagnosis.nodes),
    ...part('Pods that are not ready:', diagnosis.pods),
    ...part('Claims without a volume:', diagnosis.claims),
    ...part('Last warnings:', diagnosis.events),
    ...part('What could not be asked:', diagnosis.unknown),
  ];
}
