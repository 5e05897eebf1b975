import { setTimeout as delay } from 'node:timers/promises';
import { unlessAborted } from '../abort.ts';
import { errorMessage } from '../errors.ts';
import { ApiClient } from '../kubernetes/client.ts';
import { kubeconfigs } from '../kubernetes/kubeconfig-file.ts';
import type { Access } from '../kubernetes/kubeconfig.ts';
import type { Mode } from '../mode.ts';
import {
  troubleOf,
  troubleOfNode,
  watchObjects,
  type Collection,
  type KubernetesObject,
} from './objects.ts';

/** How soon what cannot be watched is asked again. */
const POLL_MS = 50;

/** Climbing stopped: `rung` names the step that was not reached, `last` the last thing that was seen there. */
export class ReadinessError extends Error {
  override readonly name = 'ReadinessError';
  readonly rung: string;
  readonly last: string;

  constructor(rung: string, last: string, cause: string) {
    super(`Failed to reach "${rung}": ${cause}; last seen: ${last}`);
    this.rung = rung;
    this.last = last;
  }
}

export interface Climb {
  readonly mode: Mode;
  /** Resolves when containerd is configured as it must be; undefined where it does not run. */
  readonly containerd: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Whether the cluster has CoreDNS. */
  readonly dns: boolean;
  /** Whether it serves metrics.k8s.io. */
  readonly metrics: boolean;
  readonly nodeName: string;
  /** The other nodes' names. */
  readonly agents: readonly string[];
  /** The kubeconfig k3s writes. */
  readonly kubeconfig: string;
  /** The API server's address for the runner. */
  readonly server: string;
  /** Resolves with the reason if what is waited for can no longer come. */
  readonly ended: Promise<string>;
  readonly signal: AbortSignal;
  /** Called with what was seen at a rung that is not reached yet. */
  readonly saw: (rung: string, what: string) => void;
  /** Called as each rung is reached; the next one is climbed when it is done. */
  readonly reached: (rung: string) => void | Promise<void>;
}

/** The rung after which the cluster can be asked. */
export const SERVING = 'API server ready';

interface Rung {
  readonly name: string;
  /** Resolves when reached; tells what it saw last by `saw`. */
  readonly climb: (saw: (what: string) => void, signal: AbortSignal) => Promise<void>;
}

/**
 * Climbs from "k3s has written its kubeconfig" to "the cluster's DNS has a ready server".
 * Objects are watched, so a rung is reached the moment it is; only the API server's own start is polled.
 * @throws ReadinessError naming the rung when the signal is aborted or the processes end first.
 */
export async function climb(ladder: Climb): Promise<void> {
  let client: ApiClient | undefined;
  const connected = (): ApiClient => {
    if (client === undefined) {
      throw new Error('not connected yet');
    }
    return client;
  };
  const rungs: Rung[] = [
    {
      name: 'kubeconfig written',
      climb: async (saw, signal) => {
        const access = await firstAccess(ladder.kubeconfig, saw, signal);
        client = new ApiClient({ ...access, server: new URL(ladder.server) });
      },
    },
    { name: SERVING, climb: (saw, signal) => untilReadyz(connected(), saw, signal) },
    ...(ladder.containerd === undefined ? [] : [containerdConfigured(ladder.containerd)]),
    ...(ladder.mode === 'control-plane'
      ? [serviceAccount(connected)]
      : [
          node(connected, ladder.nodeName),
          serviceAccount(connected),
          ...ladder.agents.map((name) => node(connected, name, `${name} Ready`)),
        ]),
    ...(ladder.mode === 'full' && ladder.dns ? [clusterDns(connected)] : []),
    ...(ladder.metrics ? [metricsApi(connected)] : []),
  ];
  try {
    for (const rung of rungs) {
      await climbRung(rung, ladder);
      await ladder.reached(rung.name);
    }
  } finally {
    client?.close();
  }
}

async function climbRung(rung: Rung, { ended, signal: given, saw }: Climb): Promise<void> {
  let last = 'nothing yet';
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, given]);
  const gone = ended.then((how) => {
    throw new ReadinessError(rung.name, last, how);
  });
  gone.catch(() => undefined);
  const climbing = rung.climb((what) => {
    last = what;
    saw(rung.name, what);
  }, signal);
  try {
    saw(rung.name, last);
    await unlessAborted(Promise.race([gone, climbing]), given);
  } catch (error) {
    if (error instanceof ReadinessError) {
      throw error;
    }
    const cause = errorMessage(given.aborted ? given.reason : error);
    throw new ReadinessError(rung.name, last, cause);
  } finally {
    stop.abort();
  }
}

async function firstAccess(
  path: string,
  saw: (what: string) => void,
  signal: AbortSignal,
): Promise<Access> {
  for await (const access of kubeconfigs(path, saw, signal)) {
    return access;
  }
  throw new Error(`${path} was never written`);
}

async function untilReadyz(
  client: ApiClient,
  saw: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await client.text('/readyz', { signal });
      return;
    } catch (error) {
      signal.throwIfAborted();
      saw(errorMessage(error));
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Watches a collection until an object satisfies: `missing` says what it still lacks. */
async function watchUntil(
  client: ApiClient,
  collection: Collection,
  missing: (object: KubernetesObject) => string | undefined,
  saw: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      for await (const object of watchObjects(client, collection, signal)) {
        const lacking = missing(object);
        if (lacking === undefined) {
          return;
        }
        saw(`${object.metadata.name ?? '?'}: ${lacking}`);
      }
    } catch (error) {
      signal.throwIfAborted();
      saw(errorMessage(error));
    }
    // The server ended the watch or could not be reached: ask anew.
    await delay(POLL_MS, undefined, { signal });
  }
}

function node(client: () => ApiClient, nodeName: string, name = 'node Ready'): Rung {
  const nodes = { path: '/api/v1/nodes', query: { fieldSelector: `metadata.name=${nodeName}` } };
  return {
    name,
    climb: (saw, signal) => watchUntil(client(), nodes, troubleOfNode, saw, signal),
  };
}

function serviceAccount(client: () => ApiClient): Rung {
  const accounts = {
    path: '/api/v1/namespaces/default/serviceaccounts',
    query: { fieldSelector: 'metadata.name=default' },
  };
  return {
    name: 'default service account',
    climb: (saw, signal) => watchUntil(client(), accounts, () => undefined, saw, signal),
  };
}

const DNS_SLICES = {
  path: '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices',
  query: { labelSelector: 'kubernetes.io/service-name=kube-dns' },
};
const DNS_PODS = {
  path: '/api/v1/namespaces/kube-system/pods',
  query: { labelSelector: 'k8s-app=kube-dns' },
};

/** Reached by what a Service needs, told by what the pods lack. */
function clusterDns(client: () => ApiClient): Rung {
  return {
    name: 'cluster DNS ready',
    climb: async (saw, signal) => {
      const told = new AbortController();
      const pods = watchUntil(
        client(),
        DNS_PODS,
        (pod) => troubleOf(pod) ?? 'ready, its Service does not know it yet',
        saw,
        AbortSignal.any([signal, told.signal]),
      );
      pods.catch(() => undefined);
      try {
        saw('there is no CoreDNS pod yet');
        await watchUntil(
          client(),
          DNS_SLICES,
          ({ endpoints }) =>
            endpoints?.some(({ conditions }) => conditions?.ready === true)
              ? undefined
              : 'has no ready endpoint',
          () => undefined,
          signal,
        );
      } finally {
        told.abort();
      }
    },
  };
}

function containerdConfigured(check: (signal: AbortSignal) => Promise<void>): Rung {
  return {
    name: 'containerd configured',
    climb: async (saw, signal) => {
      saw("k3s has not written containerd's configuration yet");
      await check(signal);
    },
  };
}

/** While an API group has no server behind it, every client's discovery complains. */
function metricsApi(client: () => ApiClient): Rung {
  const services = {
    path: '/apis/apiregistration.k8s.io/v1/apiservices',
    query: { fieldSelector: 'metadata.name=v1beta1.metrics.k8s.io' },
  };
  const missing = ({ status }: KubernetesObject): string | undefined => {
    const available = status?.conditions?.find(({ type }) => type === 'Available');
    return available?.status === 'True'
      ? undefined
      : `not available: ${available?.message ?? 'the API server has not asked yet'}`;
  };
  return {
    name: 'metrics API served',
    climb: (saw, signal) => watchUntil(client(), services, missing, saw, signal),
  };
}
