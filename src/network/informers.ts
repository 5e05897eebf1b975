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
import { labelledPodOf, type LabelledPod } from './policy/objects.ts';
import type { LabelledPodJson } from './policy/wire.ts';
import { Reflector, type ObjectJson, type Resource } from '../kubernetes/reflector.ts';
import type { PodJson, ServiceJson, SliceJson } from './services/wire.ts';

/** Changes come in clusters (a Service and its slice, a rollout's pods): one compile for each. */
const COALESCE_MS = 5;

/** What kube-proxy leaves to others, it asks not to be told of (cmd/kube-proxy/app/server.go). */
const PROXIED = '!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless';

/** What there is to compile anew. */
export interface Changes {
  readonly services: boolean;
  readonly policies: boolean;
}

/** Of a pod what Services are compiled from, and what policies are; one watch is for both. */
interface PodParts {
  readonly serving: Pod | undefined;
  readonly labelled: LabelledPod | undefined;
}

/** Copies of everything the network is compiled from. */
export class Informers {
  readonly #services: Reflector<ServiceJson, Service>;
  readonly #slices: Reflector<SliceJson, Slice>;
  readonly #pods: Reflector<PodJson & LabelledPodJson, PodParts>;
  readonly #policies: PolicyInformers;
  readonly #changed: (changes: Changes) => void;
  /** What has changed since the last call; before everything is there, no call is due. */
  #due: Changes | undefined;
  #scheduled = false;

  /** `changed` is called a few milliseconds after a change, once everything has been listed. */
  constructor(
    client: ApiClient,
    nodeNames: ReadonlySet<string>,
    changed: (changes: Changes) => void,
    say: Log,
  ) {
    this.#changed = changed;
    const reflect = <Json extends ObjectJson, T>(resource: Resource<Json, T>, changes: Changes) =>
      new Reflector(
        client,
        resource,
        () => {
          this.#schedule(changes);
        },
        say,
      );
    const query = { labelSelector: PROXIED };
    const services: Changes = { services: true, policies: false };
    const policies: Changes = { services: false, policies: true };
    this.#services = reflect({ path: '/api/v1/services', query, keep: serviceOf }, services);
    this.#slices = reflect(
      { path: '/apis/discovery.k8s.io/v1/endpointslices', query, keep: sliceOf },
      services,
    );
    this.#pods = reflect(
      { path: '/api/v1/pods', query: {}, keep: (json) => partsOf(json, nodeNames) },
      { services: true, policies: true },
    );
    this.#policies = new PolicyInformers(
      client,
      () => {
        this.#schedule(policies);
      },
      say,
    );
  }

  get objects(): Objects {
    return {
      services: this.#services.objects.values(),
      slices: this.#slices.objects.values(),
      pods: [...this.#pods.objects.values()].flatMap(({ serving }) => (serving ? [serving] : [])),
    };
  }

  get policies(): PolicyObjects {
    return {
      ...this.#policies.objects,
      pods: [...this.#pods.objects.values()].flatMap(({ labelled }) =>
        labelled ? [labelled] : [],
      ),
    };
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

  #schedule(changes: Changes): void {
    const due = this.#due;
    this.#due = {
      services: changes.services || (due?.services ?? false),
      policies: changes.policies || (due?.policies ?? false),
    };
    if (this.#scheduled || !this.synced) return;
    this.#scheduled = true;
    setTimeout(() => {
      const told = this.#due;
      this.#scheduled = false;
      this.#due = undefined;
      if (told) this.#changed(told);
    }, COALESCE_MS);
  }
}

/** Nothing where neither part is there. A pod of a node elsewhere serves nobody here. */
function partsOf(
  json: PodJson & LabelledPodJson,
  nodeNames: ReadonlySet<string>,
): PodParts | undefined {
  const serving = nodeNames.has(json.spec.nodeName ?? '') ? podOf(json) : undefined;
  const labelled = labelledPodOf(json);
  return serving || labelled ? { serving, labelled } : undefined;
}
