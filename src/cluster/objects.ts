import type { ApiClient } from '../kubernetes/client.ts';
import type { MetadataJson } from '../kubernetes/wire.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: {
    readonly reason?: string;
    readonly exitCode?: number;
    readonly signal?: number;
    readonly message?: string;
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

/** An object as far as readiness and diagnosis look into it. */
export interface KubernetesObject {
  readonly metadata: MetadataJson & { readonly deletionTimestamp?: string };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[];
}

export interface EventObject extends KubernetesObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly lastObservedTime?: string };
  readonly involvedObject?: {
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubernetesObject;
}

/** A collection, and what of it is wanted. */
export interface Collection {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
}

/** How long a watch may be silent: as long as what is waited for takes. */
const SILENT_MS = 24 * 3_600_000;

/** Objects of the collection, those that exist first, then each one as it changes. Ends when the server ends it. */
export async function* watchObjects(
  client: ApiClient,
  { path, query }: Collection,
  signal: AbortSignal,
): AsyncGenerator<KubernetesObject> {
  const lines = await client.watch(path, {
    query: { ...query, watch: 'true' },
    signal,
    idleMs: SILENT_MS,
  });
  for await (const line of lines) {
    const event = JSON.parse(line) as WatchEvent;
    if (event.type === 'ADDED' || event.type === 'MODIFIED') {
      yield event.object;
    } else if (event.type === 'ERROR') {
      throw new Error(`GET ${path}: ${line.slice(0, 300)}`);
    }
  }
}

/** What keeps a pod from being ready, in the kubelet's own words; undefined where it is ready or has done its work. */
export function troubleOf({ spec, status, metadata }: KubernetesObject): string | undefined {
  if (status?.phase === 'Succeeded' || isTrue(status?.conditions, 'Ready')) {
    return undefined;
  }
  const containers = [
    ...(status?.initContainerStatuses ?? []).filter(
      ({ state }) => state?.terminated?.exitCode !== 0,
    ),
    ...(status?.containerStatuses ?? []).filter(({ ready }) => !ready),
  ];
  const said = containers.flatMap((container) => {
    const text = stateOf(container);
    return text === undefined ? [] : [`${container.name}: ${text}`];
  });
  if (said.length > 0) {
    return said.join('; ');
  }
  const unscheduled = status?.conditions?.find(
    ({ type, status: answer }) => type === 'PodScheduled' && answer === 'False',
  );
  if (unscheduled !== undefined) {
    return worded(unscheduled.reason, unscheduled.message);
  }
  if (status?.reason !== undefined || status?.message !== undefined) {
    return worded(status.reason, status.message);
  }
  if (metadata.deletionTimestamp !== undefined) {
    return 'is being deleted';
  }
  return spec?.nodeName === undefined
    ? 'not scheduled yet'
    : `${status?.phase ?? 'Pending'}, its containers have not started`;
}

/** "ErrImagePull: failed to ...", "CrashLoopBackOff: back-off ...; before: exit code 1", "running, not ready" */
function stateOf({ state, lastState, restartCount }: ContainerStatus): string | undefined {
  const ended = lastState?.terminated;
  const before = ended === undefined ? '' : `; before: ${endOf(ended)}, ${restartCount} restarts`;
  if (state?.waiting !== undefined) {
    // What every pod says before its first container.
    return state.waiting.reason === 'PodInitializing'
      ? undefined
      : worded(state.waiting.reason, state.waiting.message) + before;
  }
  return state?.terminated === undefined
    ? `running, not ready${before}`
    : endOf(state.terminated) + before;
}

function endOf({
  reason,
  exitCode,
  signal,
  message,
}: NonNullable<ContainerState['terminated']>): string {
  const how = signal ? `signal ${signal}` : `exit code ${exitCode ?? '?'}`;
  return worded(reason === undefined ? how : `${reason} (${how})`, message);
}

function worded(reason: string | undefined, message: string | undefined): string {
  return [reason, message?.trim()].filter((text) => text !== undefined && text !== '').join(': ');
}

export function isTrue(conditions: readonly Condition[] | undefined, name: string): boolean {
  return conditions?.some(({ type, status }) => type === name && status === 'True') === true;
}

/** What keeps a node from being Ready, in the kubelet's own words. */
export function troubleOfNode({ status }: KubernetesObject): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True'
    ? undefined
    : `not Ready: ${ready?.message ?? 'the kubelet has not reported yet'}`;
}
