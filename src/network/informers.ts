import type { ApiClient } from '../kubernetes/client.ts';
import type { Objects } from './services/compile.ts';
import type { Log } from '../log.ts';
import {
  podOf,
  serviceOf,
  sliceOf,
  type Pod,
  type Service,
  type Slice,
} from './services/objects.ts';
import type { PolicyObjects } from './policy/compile.ts';
import { PolicyInformers } from './policy/informers.ts';
import { Reflector, type ObjectJson, type Resource } from '../kubernetes/reflector.ts';
import type { PodJson, ServiceJson, SliceJson } from './services/wire.ts';

/** Changes come in clusters (a Service and its slice, a rollout's pods): one compile for each. */
const COALESCE_MS = 5;

/** What kube-proxy leaves to others, it asks not to be told of (cmd/kube-proxy/app/server.go). */
const PROXIED = '!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless';

/** Copies of everything the network is compiled from. */
export class Informers {
  readonly #services: Reflector<ServiceJson, Service>;
  readonly #slices: Reflector<SliceJson, Slice>;
  readonly #pods: Reflector<PodJson, Pod>;
  readonly #policies: PolicyInformers;
  readonly #changed: () => void;
  #scheduled = false;

  /** `changed` is called a few milliseconds after a change, once everything has been listed. */
  constructor(client: ApiClient, nodeName: string, changed: () => void, say: Log) {
    this.#changed = changed;
    const reflect = <Json extends ObjectJson, T>(resource: Resource<Json, T>) =>
      new Reflector(client, resource, this.#schedule, say);
    const query = { labelSelector: PROXIED };
    this.#services = reflect({ path: '/api/v1/services', query, keep: serviceOf });
    this.#slices = reflect({
      path: '/apis/discovery.k8s.io/v1/endpointslices',
      query,
      keep: sliceOf,
    });
    this.#pods = reflect({
      path: '/api/v1/pods',
      query: { fieldSelector: `spec.nodeName=${nodeName}` },
      keep: podOf,
    });
    this.#policies = new PolicyInformers(client, this.#schedule, say);
  }

  get objects(): Objects {
    return {
      services: this.#services.objects.values(),
      slices: this.#slices.objects.values(),
      pods: this.#pods.objects.values(),
    };
  }

  get policies(): PolicyObjects {
    return this.#policies.objects;
  }

  get synced(): boolean {
    return this.#all.every((reflector) => reflector.synced);
  }

  /** Lists and watches that failed since the start. */
  get failures(): number {
    return this.#all.reduce((sum, { failures }) => sum + failures, 0);
  }

  /** Goes on until the signal is aborted, with whose reason it rejects. */
  run(signal: AbortSignal): Promise<never> {
    return Promise.race(this.#all.map((reflector) => reflector.run(signal)));
  }

  get #all() {
    return [this.#services, this.#slices, this.#pods, this.#policies];
  }

  readonly #schedule = (): void => {
    if (!this.synced) return;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#changed();
    }, COALESCE_MS);
  };
}
