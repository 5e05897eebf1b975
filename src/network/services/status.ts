import { ApiError, type ApiClient } from '../../kubernetes/client.ts';
import { providesLoadBalancer } from './claims.ts';
import { errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { nameOf, type Service } from './objects.ts';
import type { IngressJson } from './wire.ts';

/**
 * What a Service's status.loadBalancer is to hold; undefined where it is not ours to say.
 *
 * It is the node's address, as k3s's servicelb announces it: the one that pods, the API server and
 * Ingress controllers can use, and `helm --wait`, which waits for any, is content with. A runner step
 * cannot reach that address (it is in the cluster's own network); for a step the same ports are on
 * 127.0.0.1.
 */
export function ingressFor(
  service: Service,
  reachable: boolean,
  nodeIp: string,
): readonly IngressJson[] | undefined {
  const own = [{ ip: nodeIp, ipMode: 'VIP' }];
  const says = announces(service, nodeIp);
  if (providesLoadBalancer(service)) {
    if (reachable) return says ? undefined : own;
    return service.ingress.length === 0 ? undefined : [];
  }
  // What is left of a load balancer whose Service became something else.
  return service.type !== 'LoadBalancer' && says ? [] : undefined;
}

/** API servers older than the ipMode field drop it. */
function announces({ ingress: [first, ...others] }: Service, nodeIp: string): boolean {
  return others.length === 0 && first?.ip === nodeIp && first.ipMode !== 'Proxy';
}

/** Writes statuses, one at a time, each once per version of its Service. */
export class StatusWriter {
  readonly #client: ApiClient;
  readonly #failed: () => void;
  readonly #say: Log;
  /** Service uid to the version last written on: the informer is behind what we wrote. */
  readonly #written = new Map<string, string>();
  #queue: Promise<void> = Promise.resolve();

  /** `failed` is called when a status must be written again. */
  constructor(client: ApiClient, failed: () => void, say: Log) {
    this.#client = client;
    this.#failed = failed;
    this.#say = say;
  }

  write(service: Service, ingress: readonly IngressJson[]): void {
    const { ref, resourceVersion } = service;
    if (this.#written.get(ref.uid) === resourceVersion) return;
    this.#written.set(ref.uid, resourceVersion);
    this.#queue = this.#queue.then(() => this.#patch(service, ingress));
  }

  /** Forgets Services that are no more. */
  forgetAllBut(uids: ReadonlySet<string>): void {
    for (const uid of this.#written.keys()) if (!uids.has(uid)) this.#written.delete(uid);
  }

  async #patch({ ref }: Service, ingress: readonly IngressJson[]): Promise<void> {
    try {
      await this.#client.request(
        'PATCH',
        `/api/v1/namespaces/${ref.namespace}/services/${ref.name}/status`,
        {
          contentType: 'application/merge-patch+json',
          body: { status: { loadBalancer: { ingress } } },
        },
      );
      this.#say(`Set the load balancer of ${nameOf(ref)} to ${JSON.stringify(ingress)}`);
    } catch (error) {
      // Deleted in the meantime.
      if (error instanceof ApiError && error.status === 404) return;
      this.#say(`Failed to set the load balancer of ${nameOf(ref)}: ${errorMessage(error)}`);
      this.#written.delete(ref.uid);
      this.#failed();
    }
  }
}
