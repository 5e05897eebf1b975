import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { corednsObjects, handOverCoredns } from '../../../src/cluster/coredns.ts';
import { ApiClient } from '../../../src/kubernetes/client.ts';

const TEMPLATE = `# a comment
apiVersion: v1
kind: ServiceAccount
metadata: {name: coredns, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: system:coredns}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: "kubernetes %{CLUSTER_DOMAIN}%"
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: "%{CLUSTER_DNS}%", clusterIPs: %{CLUSTER_DNS_LIST}%, image: "%{SYSTEM_DEFAULT_REGISTRY}%x"}
---
`;
const VALUES = { clusterDns: '10.43.0.10', clusterDomain: 'cluster.local' };

describe('corednsObjects', () => {
  it('puts in the values that k3s would', () => {
    expect(corednsObjects(TEMPLATE, VALUES).slice(2)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'coredns', namespace: 'kube-system' },
        data: { Corefile: 'kubernetes cluster.local' },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'kube-dns', namespace: 'kube-system' },
        spec: { clusterIP: '10.43.0.10', clusterIPs: ['10.43.0.10'], image: 'x' },
      },
    ]);
  });

  it.each([
    ['data: "%{NEW}%"', 'its manifest has a %{NEW}%, which is not known here'],
    ['kind: Namespace\nmetadata: {name: x}', 'its manifest has no ConfigMap coredns'],
  ])('refuses %j', (template, message) => {
    expect(() => corednsObjects(template, VALUES)).toThrow(message);
  });
});

describe('handOverCoredns', () => {
  let server: Server;
  let asked: { line: string; type: string | undefined; body: unknown }[];
  const resources = {
    '/api/v1': [
      { name: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true },
      { name: 'serviceaccounts/token', kind: 'ServiceAccount', namespaced: true },
      { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
      { name: 'services', kind: 'Service', namespaced: true },
    ],
    '/apis/rbac.authorization.k8s.io/v1': [
      { name: 'clusterroles', kind: 'ClusterRole', namespaced: false },
    ],
  };

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method, url = '', headers } = request;
        const list = resources[url as keyof typeof resources] as unknown;
        const parsed: unknown = body === '' ? undefined : JSON.parse(body);
        asked.push({ line: `${method} ${url}`, type: headers['content-type'], body: parsed });
        response.end(JSON.stringify(list === undefined ? {} : { resources: list }));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function handOver(template: string | null): Promise<string[]> {
    const notices: string[] = [];
    const { port } = server.address() as AddressInfo;
    const api = new ApiClient({
      server: new URL(`http://127.0.0.1:${port}`),
      ...{ ca: undefined, cert: undefined, key: undefined, token: undefined },
    });
    await handOverCoredns(
      api,
      { template, ...VALUES, nodeHosts: '10.42.0.1 runner\n' },
      { notice: (message) => notices.push(message), signal: new AbortController().signal },
    );
    return notices;
  }

  const patches = () => asked.filter(({ line }) => line.startsWith('PATCH'));

  it('applies each object, the ConfigMap with its NodeHosts, and asks each group once', async () => {
    expect(await handOver(TEMPLATE)).toEqual([]);
    const query = 'fieldManager=k3s-in-gvisor&force=true';
    expect(
      patches()
        .map(({ line }) => line)
        .sort(),
    ).toEqual([
      `PATCH /api/v1/namespaces/kube-system/configmaps/coredns?${query}`,
      `PATCH /api/v1/namespaces/kube-system/serviceaccounts/coredns?${query}`,
      `PATCH /api/v1/namespaces/kube-system/services/kube-dns?${query}`,
      `PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/system:coredns?${query}`,
    ]);
    expect(new Set(patches().map(({ type }) => type))).toEqual(
      new Set(['application/apply-patch+yaml']),
    );
    expect(patches().map(({ body }) => body)).toContainEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'coredns', namespace: 'kube-system' },
      data: { Corefile: 'kubernetes cluster.local', NodeHosts: '10.42.0.1 runner\n' },
    });
    expect(asked.length).toBe(patches().length + 2);
  });

  it.each([
    [null, []],
    [
      'data: "%{NEW}%"',
      [
        "CoreDNS waits for k3s's own manifests: its manifest has a %{NEW}%, which is not known here",
      ],
    ],
  ])('writes NodeHosts at least, with the manifest %j', async (template, notices) => {
    expect(await handOver(template)).toEqual(notices);
    expect(patches().map(({ body }) => body)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'coredns', namespace: 'kube-system' },
        data: { NodeHosts: '10.42.0.1 runner\n' },
      },
    ]);
  });

  it('fails where the API server knows no such objects', async () => {
    const template = TEMPLATE.replace('kind: ServiceAccount', 'kind: Novelty');
    await expect(handOver(template)).rejects.toThrow('the API server knows no Novelty of v1');
  });
});
