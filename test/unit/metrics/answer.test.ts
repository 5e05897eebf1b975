import { describe, expect, it } from 'vitest';
import {
  discovery,
  nodeMetrics,
  podMetrics,
  questionOf,
  type PodJson,
} from '../../../src/metrics/answer.ts';
import { Samples } from '../../../src/metrics/sampler.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const at = Date.parse('2026-01-02T03:04:05Z');

const sampled = (...rounds: { cpu: number; memory: number }[]): Samples => {
  const samples = new Samples();
  rounds.forEach((usage, index) => {
    samples.take({ node: usage, containers: new Map([[A, usage]]) }, at + index * 5_000);
  });
  return samples;
};
const busy = sampled({ cpu: 1e9, memory: 4096 }, { cpu: 3.5e9, memory: 2048 * 1024 });

const pod = (...ids: string[]): PodJson => ({
  metadata: { name: 'p', namespace: 'n', labels: { app: 'x' } },
  status: {
    containerStatuses: ids.map((id, index) => ({
      name: `c${index}`,
      containerID: `containerd://${id}`,
      state: { running: {} },
    })),
  },
});

describe('metrics of a pod', () => {
  it('are rates, in nanocores, over the samples there are', () => {
    expect(podMetrics(pod(A), busy)).toEqual({
      kind: 'PodMetrics',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: {
        name: 'p',
        namespace: 'n',
        labels: { app: 'x' },
        creationTimestamp: '2026-01-02T03:04:10Z',
      },
      timestamp: '2026-01-02T03:04:10Z',
      window: '5.000s',
      containers: [{ name: 'c0', usage: { cpu: '500000000n', memory: '2048Ki' } }],
    });
  });

  it.each([
    ['without a running container', pod(), busy],
    ['of which one container has none', pod(A, B), busy],
    ['seen once', pod(A), sampled({ cpu: 1, memory: 1 })],
    [
      'whose counter began anew',
      pod(A),
      sampled({ cpu: 5, memory: 1 }, { cpu: 6, memory: 1 }, { cpu: 1, memory: 1 }),
    ],
  ])('are none for a pod %s', (_, json, samples) => {
    expect(podMetrics(json, samples)).toBeUndefined();
  });

  it('leave out containers that have ended', () => {
    const json = pod(A);
    const ended = { name: 'init', containerID: `containerd://${B}`, state: {} };
    expect(
      podMetrics({ ...json, status: { ...json.status, initContainerStatuses: [ended] } }, busy),
    ).toMatchObject({ containers: [{ name: 'c0' }] });
  });
});

it('forgets all but the last samples', () => {
  const samples = sampled(
    ...[100, 0, 10, 20, 30, 40].map((seconds) => ({ cpu: seconds * 1e9, memory: 1 })),
  );
  // The first was dropped as another cgroup's, the second as too old.
  expect(nodeMetrics({ metadata: { name: 'n' } }, samples)).toMatchObject({
    metadata: { name: 'n' },
    window: '15.000s',
    usage: { cpu: '2000000000n', memory: '0Ki' },
  });
});

describe('paths', () => {
  it.each([
    ['/apis/metrics.k8s.io/v1beta1/pods', { kind: 'Pod', path: '/api/v1/pods', single: false }],
    [
      '/apis/metrics.k8s.io/v1beta1/namespaces/a/pods?labelSelector=app%3Dx&limit=5',
      {
        kind: 'Pod',
        path: '/api/v1/namespaces/a/pods',
        query: { labelSelector: 'app=x' },
        single: false,
      },
    ],
    [
      '/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/b',
      { kind: 'Pod', path: '/api/v1/namespaces/a/pods/b', single: true },
    ],
    [
      '/apis/metrics.k8s.io/v1beta1/nodes/n',
      { kind: 'Node', path: '/api/v1/nodes/n', single: true },
    ],
    ['/apis/metrics.k8s.io/v1beta1/namespaces/a/nodes', undefined],
    ['/apis/metrics.k8s.io/v1beta1/namespaces/a/secrets', undefined],
    ['/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/b/log', undefined],
    ['/api/v1/pods', undefined],
  ])('%s', (path, expected) => {
    const question = questionOf(new URL(path, 'https://x'));
    if (expected === undefined) expect(question).toBeUndefined();
    else expect(question).toMatchObject(expected);
  });

  it('of discovery name what there is', () => {
    expect(discovery('/apis/metrics.k8s.io/v1beta1')).toMatchObject({
      kind: 'APIResourceList',
      resources: [
        { name: 'nodes', namespaced: false },
        { name: 'pods', namespaced: true },
      ],
    });
    expect(discovery('/apis')).toMatchObject({ groups: [{ name: 'metrics.k8s.io' }] });
    expect(discovery('/openapi/v2')).toBeUndefined();
  });
});
