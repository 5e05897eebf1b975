import { watch } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../errors.ts';
import type { Mode } from '../mode.ts';
import { Api, type KubernetesObject } from './api.ts';
import { readCredentials, type Credentials } from './kubeconfig.ts';

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
  /** Whether the cluster has CoreDNS. */
  readonly dns: boolean;
  readonly nodeName: string;
  /** The kubeconfig k3s writes. */
  readonly kubeconfig: string;
  /** The API server's address for the runner. */
  readonly server: string;
  /** Resolves with the reason if what is waited for can no longer come. */
  readonly ended: Promise<string>;
  readonly deadline: AbortSignal;
  /** Called as each rung is reached. */
  readonly reached: (rung: string) => void;
}

interface Rung {
  readonly name: string;
  /** Resolves when reached; tells what it saw last by `saw`. */
  readonly climb: (saw: (what: string) => void, signal: AbortSignal) => Promise<void>;
}

/**
 * Climbs from "k3s has written its kubeconfig" to "the cluster's DNS has a ready server".
 * Objects are watched, so a rung is reached the moment it is; only the API server's own start is polled.
 * @throws ReadinessError naming the rung when the deadline passes or the processes end first.
 */
export async function climb(ladder: Climb): Promise<void> {
  let api: Api | undefined;
  const connected = (): Api => {
    if (api === undefined) {
      throw new Error('not connected yet');
    }
    return api;
  };
  const rungs: Rung[] = [
    {
      name: 'kubeconfig written',
      climb: async (saw, signal) => {
        const credentials = await fileCredentials(ladder.kubeconfig, saw, signal);
        api = new Api({ ...credentials, server: ladder.server });
      },
    },
    { name: 'API server ready', climb: (saw, signal) => untilReadyz(connected(), saw, signal) },
    ...(ladder.mode === 'control-plane'
      ? [serviceAccount(connected)]
      : [node(connected, ladder.nodeName), serviceAccount(connected)]),
    ...(ladder.mode === 'full' && ladder.dns ? [clusterDns(connected)] : []),
  ];
  try {
    for (const rung of rungs) {
      await climbRung(rung, ladder);
      ladder.reached(rung.name);
    }
  } finally {
    api?.close();
  }
}

async function climbRung(rung: Rung, { ended, deadline }: Climb): Promise<void> {
  let last = 'nothing yet';
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, deadline]);
  const gone = ended.then((how) => {
    throw new ReadinessError(rung.name, last, how);
  });
  try {
    await Promise.race([
      gone,
      rung.climb((what) => {
        last = what;
      }, signal),
    ]);
  } catch (error) {
    if (error instanceof ReadinessError) {
      throw error;
    }
    const cause = deadline.aborted ? 'the timeout passed' : errorMessage(error);
    throw new ReadinessError(rung.name, last, cause);
  } finally {
    stop.abort();
    gone.catch(() => undefined);
  }
}

async function fileCredentials(
  path: string,
  saw: (what: string) => void,
  signal: AbortSignal,
): Promise<Credentials> {
  const attempt = (): Promise<Credentials | undefined> =>
    readCredentials(path).catch((error: unknown) => {
      saw(errorMessage(error));
      return undefined;
    });
  const changes = watch(dirname(path), { signal });
  // Looked at only after the watch began, so that no write is missed.
  const present = await attempt();
  if (present !== undefined) {
    return present;
  }
  for await (const { filename } of changes) {
    const credentials = filename === basename(path) ? await attempt() : undefined;
    if (credentials !== undefined) {
      return credentials;
    }
  }
  throw new Error(`${path} was never written`);
}

async function untilReadyz(
  api: Api,
  saw: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await api.get('/readyz', signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      saw(errorMessage(error));
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Watches `path` until an object satisfies `done`, which says what is still missing where it does not. */
function watchUntil(
  name: string,
  api: () => Api,
  path: string,
  missing: (object: KubernetesObject) => string | undefined,
): Rung {
  return {
    name,
    climb: async (saw, signal) => {
      for (;;) {
        try {
          for await (const object of api().watch(path, signal)) {
            const lacking = missing(object);
            if (lacking === undefined) {
              return;
            }
            saw(`${object.metadata.name}: ${lacking}`);
          }
        } catch (error) {
          signal.throwIfAborted();
          saw(errorMessage(error));
        }
        // The server ended the watch or could not be reached: ask anew.
        await delay(POLL_MS, undefined, { signal });
      }
    },
  };
}

function node(api: () => Api, nodeName: string): Rung {
  const path = `/api/v1/nodes?fieldSelector=metadata.name=${encodeURIComponent(nodeName)}`;
  return watchUntil('node Ready', api, path, ({ status }) => {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    return ready?.status === 'True'
      ? undefined
      : `not Ready: ${ready?.message ?? 'the kubelet has not reported yet'}`;
  });
}

function serviceAccount(api: () => Api): Rung {
  const path = '/api/v1/namespaces/default/serviceaccounts?fieldSelector=metadata.name=default';
  return watchUntil('default service account', api, path, () => undefined);
}

function clusterDns(api: () => Api): Rung {
  const path =
    '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?labelSelector=kubernetes.io/service-name=kube-dns';
  return watchUntil('cluster DNS ready', api, path, ({ endpoints }) =>
    endpoints?.some(({ conditions }) => conditions?.ready === true)
      ? undefined
      : 'no CoreDNS pod is ready',
  );
}
