import { ApiError, type ApiClient } from '../../kubernetes/client.ts';
import { providesLoadBalancer } from './claims.ts';
import { errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { nameOf, type Service } from './objects.ts';
import type { IngressJson } from './wire.ts';

/**
 * What a Service's status.loadBalancer is to hold; undefined where it is not ours to say.
 * @param address what is to be announced; undefined where nothing answers there yet
 */
export function ingressFor(
  service: Service,
  address: string | undefined,
  isOurs: (address: string) => boolean,
): readonly IngressJson[] | undefined {
  if (providesLoadBalancer(service)) {
    if (address !== undefined) {
      return announces(service, address) ? undefined : [{ ip: address, ipMode: 'VIP' }];
    }
    return service.ingress.length === 0 ? undefined : [];
  }
  // What is left of a load balancer whose Service became something else.
  const [first] = service.ingress;
  return service.type !== 'LoadBalancer' && first?.ip !== undefined && isOurs(first.ip)
    ? []
    : undefined;
}

/** API servers older than the ipMode field drop it. */
function announces({ ingress: [first, ...others] }: Service, address: string): boolean {
  return others.length === 0 && first?.ip === address && first.ipMode !== 'Proxy';
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
