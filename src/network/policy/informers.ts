import type { ApiClient } from '../../kubernetes/client.ts';
import type { Log } from '../../log.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import type { PolicyObjects } from './compile.ts';
import { namespaceOf, policyOf, type Namespace, type Policy } from './objects.ts';
import type { NamespaceJson, PolicyJson } from './wire.ts';

/**
 * Copies of what policies are compiled from, beside pods. Namespaces are watched from the moment the
 * first policy is seen: a cluster without policies does not pay for them.
 */
export class PolicyInformers {
  readonly #policies: Reflector<PolicyJson, Policy>;
  readonly #namespaces: Reflector<NamespaceJson, Namespace>;
  readonly #first = Promise.withResolvers<undefined>();

  /** `changed` is called after every change, complete or not. */
  constructor(client: ApiClient, changed: () => void, say: Log) {
    const policiesChanged = () => {
      if (this.#policies.objects.size > 0) this.#first.resolve(undefined);
      changed();
    };
    this.#policies = new Reflector(
      client,
      { path: '/apis/networking.k8s.io/v1/networkpolicies', query: {}, keep: policyOf },
      policiesChanged,
      say,
    );
    this.#namespaces = new Reflector(
      client,
      { path: '/api/v1/namespaces', query: {}, keep: namespaceOf },
      changed,
      say,
    );
  }

  get objects(): Omit<PolicyObjects, 'pods'> {
    return {
      policies: this.#policies.objects.values(),
      namespaces: this.#namespaces.objects.values(),
    };
  }

  /** Whether everything is there that the policies speak of. */
  get synced(): boolean {
    if (!this.#policies.synced || this.#policies.objects.size === 0) return this.#policies.synced;
    return this.#namespaces.synced;
  }

  /** Lists and watches that failed since the start. */
  get failures(): number {
    return this.#policies.failures + this.#namespaces.failures;
  }

  /** Goes on until the signal is aborted, with whose reason it rejects. */
  run(signal: AbortSignal): Promise<never> {
    return Promise.race([this.#policies.run(signal), this.#runNamespaces(signal)]);
  }

  async #runNamespaces(signal: AbortSignal): Promise<never> {
    await this.#first.promise;
    return this.#namespaces.run(signal);
  }
}
