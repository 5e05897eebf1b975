import type { Applied } from '../kubernetes/apply.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { GROUP, VERSION } from './answer.ts';

const NAMESPACE = 'kube-system';
const NAME = 'k3s-in-gvisor-metrics';

/** The name by which the API server verifies the server behind the Service. */
export const SERVER_NAME = `${NAME}.${NAMESPACE}.svc`;

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** What makes the API server send requests for the group to `endpoint`; the last one last. */
export function registrations({ ip, port }: Endpoint, cert: string): readonly Applied[] {
  const metadata = { name: NAME, namespace: NAMESPACE };
  return [
    {
      path: `/api/v1/namespaces/${NAMESPACE}/services/${NAME}`,
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { ports: [{ name: 'https', port: 443, targetPort: port }] },
      },
    },
    {
      path: `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices/${NAME}`,
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          ...metadata,
          labels: {
            'kubernetes.io/service-name': NAME,
            'endpointslice.kubernetes.io/managed-by': 'k3s-in-gvisor',
          },
        },
        addressType: 'IPv4',
        ports: [{ name: 'https', port, protocol: 'TCP' }],
        endpoints: [{ addresses: [ip], conditions: { ready: true } }],
      },
    },
    {
      // Who may look at pods may look at what they use.
      path: `/apis/rbac.authorization.k8s.io/v1/clusterroles/${NAME}`,
      object: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: {
          name: NAME,
          labels: Object.fromEntries(
            ['view', 'edit', 'admin'].map((role) => [
              `rbac.authorization.k8s.io/aggregate-to-${role}`,
              'true',
            ]),
          ),
        },
        rules: [{ apiGroups: [GROUP], resources: ['pods', 'nodes'], verbs: ['get', 'list'] }],
      },
    },
    {
      path: `/apis/apiregistration.k8s.io/v1/apiservices/${VERSION}.${GROUP}`,
      object: {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: `${VERSION}.${GROUP}` },
        spec: {
          group: GROUP,
          version: VERSION,
          groupPriorityMinimum: 100,
          versionPriority: 100,
          caBundle: Buffer.from(cert).toString('base64'),
          service: metadata,
        },
      },
    },
  ];
}

/** Who the API server is, to servers it asks on behalf of others. */
export interface FrontProxy {
  /** PEM. */
  readonly ca: string;
  readonly names: readonly string[];
}

/** @throws if the API server has not written it yet */
export async function readFrontProxy(client: ApiClient, signal: AbortSignal): Promise<FrontProxy> {
  const { data = {} } = (await client.request(
    'GET',
    `/api/v1/namespaces/${NAMESPACE}/configmaps/extension-apiserver-authentication`,
    { signal },
  )) as { data?: Record<string, string> };
  const ca = data['requestheader-client-ca-file'];
  if (ca === undefined) {
    throw new Error('extension-apiserver-authentication names no CA of the front proxy');
  }
  const names = JSON.parse(data['requestheader-allowed-names'] ?? '[]') as string[];
  return { ca, names };
}
