import { parseAllDocuments } from 'yaml';
import { errorMessage } from '../errors.ts';
import { applyOne } from '../kubernetes/apply.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import type { CorednsPlan } from '../plan/coredns.ts';

/** An object of a manifest, as far as it is looked into. */
interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Gives CoreDNS's manifest to an API server that has just begun to answer. k3s does so by itself, but
 * seconds later, and its node controller writes the key NodeHosts, without which CoreDNS's pod cannot
 * start, only when a node changes after the ConfigMap came (pkg/node/controller.go): a node that was
 * faster waits minutes for its cluster's DNS. k3s's Addon controller finds the objects as it wants
 * them and takes them over, under a field manager of its own; where the manifest cannot be had, it adds the rest to the ConfigMap.
 */
export async function handOverCoredns(
  api: ApiClient,
  plan: CorednsPlan,
  { notice, signal }: { notice: (message: string) => void; signal: AbortSignal },
): Promise<void> {
  const paths = new ResourcePaths(api, signal);
  await Promise.all(
    objectsOf(plan, notice).map(async (object) =>
      applyOne(api, { path: await paths.of(object), object }, signal),
    ),
  );
}

function objectsOf(plan: CorednsPlan, notice: (message: string) => void): ManifestObject[] {
  const hosts = { NodeHosts: plan.nodeHosts };
  if (plan.template !== null) {
    try {
      return corednsObjects(plan.template, plan).map((object) =>
        isConfigMap(object) ? { ...object, data: { ...object.data, ...hosts } } : object,
      );
    } catch (error) {
      notice(`CoreDNS waits for k3s's own manifests: ${errorMessage(error)}`);
    }
  }
  const metadata = { name: 'coredns', namespace: 'kube-system' };
  return [{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: hosts }];
}

/**
 * The objects of k3s's coredns.yaml with the values in them that its stageFiles puts there
 * (pkg/server/server.go).
 * @throws if it asks for a value that is not known here, or has no ConfigMap for CoreDNS
 */
export function corednsObjects(
  template: string,
  { clusterDns, clusterDomain }: Pick<CorednsPlan, 'clusterDns' | 'clusterDomain'>,
): ManifestObject[] {
  const known: Readonly<Record<string, string>> = {
    CLUSTER_DNS: clusterDns,
    CLUSTER_DNS_LIST: `[${clusterDns}]`,
    CLUSTER_DNS_IPFAMILYPOLICY: 'SingleStack',
    CLUSTER_DOMAIN: clusterDomain,
    SYSTEM_DEFAULT_REGISTRY: '',
    SYSTEM_DEFAULT_REGISTRY_RAW: '',
  };
  const text = template.replace(/%\{(\w+)\}%/g, (placeholder, name: string) => {
    const value = known[name];
    if (value === undefined) {
      throw new Error(`its manifest has a ${placeholder}, which is not known here`);
    }
    return value;
  });
  const objects = parseAllDocuments(text)
    .map((document) => document.toJS() as ManifestObject | null)
    .filter((object) => object !== null);
  if (!objects.some(isConfigMap)) {
    throw new Error('its manifest has no ConfigMap coredns');
  }
  return objects;
}

function isConfigMap({ kind, metadata }: ManifestObject): boolean {
  return kind === 'ConfigMap' && metadata.name === 'coredns';
}

interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

/** Finds objects' places in the API by asking it, once for each group. */
class ResourcePaths {
  readonly #api: ApiClient;
  readonly #signal: AbortSignal;
  readonly #groups = new Map<string, Promise<ResourceList>>();

  constructor(api: ApiClient, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  /** @throws if the API server does not know such objects */
  async of({ apiVersion, kind, metadata }: ManifestObject): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const asked =
      this.#groups.get(root) ??
      (this.#api.request('GET', root, { signal: this.#signal }) as Promise<ResourceList>);
    this.#groups.set(root, asked);
    const { resources } = await asked;
    const found = resources.find(
      (resource) => resource.kind === kind && !resource.name.includes('/'),
    );
    if (found === undefined) {
      throw new Error(`the API server knows no ${kind} of ${apiVersion}`);
    }
    const space = found.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
    return `${root}${space}/${found.name}/${metadata.name}`;
  }
}
