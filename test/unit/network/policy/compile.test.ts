import { describe, expect, test } from 'vitest';

import { compilePolicies } from '../../../../src/network/policy/compile.ts';
import { labelledPodOf, namespaceOf, policyOf } from '../../../../src/network/policy/objects.ts';
import type { LabelledPodJson, PolicyJson } from '../../../../src/network/policy/wire.ts';

function pod(
  namespace: string,
  name: string,
  ports: LabelledPodJson['spec']['containers'][0]['ports'] = [],
  more: { hostNetwork?: boolean; phase?: string } = {},
): LabelledPodJson {
  return {
    metadata: { namespace, name, labels: { app: name } },
    spec: { containers: [{ ports }], hostNetwork: more.hostNetwork ?? false },
    status: { phase: more.phase ?? 'Running' },
  };
}

const http = { name: 'http', containerPort: 8080 };

const PODS = [
  pod('a', 'web', [http, { name: 'dns', protocol: 'UDP', containerPort: 53 }]),
  pod('a', 'db'),
  pod('b', 'web', [{ ...http, containerPort: 9090 }]),
  pod('a', 'node', [], { hostNetwork: true }),
  pod('a', 'done', [], { phase: 'Succeeded' }),
];

type Spec = NonNullable<PolicyJson['spec']>;

function compiled(...specs: readonly Spec[]) {
  return Object.fromEntries(
    compilePolicies({
      policies: specs.map((spec) => policyOf({ metadata: { namespace: 'a', name: 'p' }, spec })),
      pods: PODS.flatMap((json) => labelledPodOf(json) ?? []),
      namespaces: ['a', 'b'].map((name) => namespaceOf({ metadata: { name, labels: { name } } })),
    }),
  );
}

const app = (name: string) => ({ matchLabels: { app: name } });
const space = (name: string) => ({ matchLabels: { name } });

/** What the policy allows a/web, which it selects. */
function ingress(...rules: NonNullable<Spec['ingress']>): string | undefined {
  return compiled({ podSelector: app('web'), policyTypes: ['Ingress'], ingress: rules })[
    'ingress a/web'
  ];
}

function egress(...rules: NonNullable<Spec['egress']>): string | undefined {
  return compiled({ podSelector: app('web'), policyTypes: ['Egress'], egress: rules })[
    'egress a/web'
  ];
}

describe('compilePolicies', () => {
  test('without policies there is nothing', () => {
    expect(compiled()).toEqual({});
  });

  test('isolates what is selected, frees the other pods, holds back those not known', () => {
    expect(compiled({ podSelector: app('web') })).toEqual({
      'ingress a/*': '',
      'ingress a/web': '',
      'ingress a/db': '0.0.0.0/0',
    });
  });

  test('isolates in the directions the policy is of', () => {
    const directions = (spec: Spec) => Object.keys(compiled({ ...spec, podSelector: {} }));
    const all = (direction: string) => ['*', 'web', 'db'].map((name) => `${direction} a/${name}`);
    expect(directions({})).toEqual(all('ingress'));
    expect(directions({ egress: [{}] })).toEqual([...all('ingress'), ...all('egress')]);
    expect(directions({ policyTypes: ['Egress'] })).toEqual(all('egress'));
  });

  test('adds up what several policies allow', () => {
    const spec = (cidr: string): Spec => ({
      podSelector: app('web'),
      ingress: [{ from: [{ ipBlock: { cidr } }] }],
    });
    expect(compiled(spec('10.0.0.0/8'), spec('192.168.0.0/16'))['ingress a/web']).toBe(
      '10.0.0.0/8 192.168.0.0/16',
    );
  });

  test.each<[string, Parameters<typeof ingress>, string]>([
    ['everybody', [{}], '0.0.0.0/0'],
    ['everybody on a port', [{ ports: [{ port: 80 }] }], '0.0.0.0/0:tcp:80'],
    ['pods of the namespace', [{ from: [{ podSelector: app('db') }] }], 'a/db'],
    ['namespaces', [{ from: [{ namespaceSelector: space('b') }] }], 'b/web'],
    ['all namespaces', [{ from: [{ namespaceSelector: {} }] }], 'a/db a/web b/web'],
    [
      'pods of namespaces',
      [{ from: [{ namespaceSelector: {}, podSelector: app('web') }] }],
      'a/web b/web',
    ],
    [
      'either of two peers',
      [{ from: [{ namespaceSelector: space('b') }, { podSelector: app('db') }] }],
      'a/db b/web',
    ],
    [
      'a block with exceptions',
      [{ from: [{ ipBlock: { cidr: '10.0.0.0/30', except: ['10.0.0.0/32'] } }] }],
      '10.0.0.1/32 10.0.0.2/31',
    ],
    [
      'ports and ranges of both protocols',
      [
        {
          from: [{ podSelector: app('db') }],
          ports: [{ protocol: 'UDP', port: 53 }, { port: 80, endPort: 90 }, { protocol: 'TCP' }],
        },
      ],
      'a/db:tcp a/db:tcp:80-90 a/db:udp:53',
    ],
    [
      "its own ports' names, by protocol",
      [{ from: [{ podSelector: app('db') }], ports: [{ port: 'http' }, { port: 'dns' }] }],
      'a/db:tcp:8080',
    ],
    ['nothing over SCTP', [{ ports: [{ protocol: 'SCTP', port: 80 }] }], ''],
    ['each once', [{}, {}], '0.0.0.0/0'],
  ])('lets in %s', (_what, rules, expected) => {
    expect(ingress(...rules)).toBe(expected);
  });

  test.each<[string, Parameters<typeof egress>, string]>([
    ['everywhere', [{}], '0.0.0.0/0'],
    ['to a pod', [{ to: [{ podSelector: app('db') }], ports: [{ port: 5432 }] }], 'a/db:tcp:5432'],
    [
      "to what each destination's port is called",
      [{ to: [{ namespaceSelector: {} }], ports: [{ port: 'http' }] }],
      'a/web:tcp:8080 b/web:tcp:9090',
    ],
    [
      'to every port of a name, and a number anywhere',
      [{ ports: [{ port: 'http' }, { port: 443 }] }],
      '0.0.0.0/0:tcp:443 a/web:tcp:8080 b/web:tcp:9090',
    ],
    [
      'to a block, which has no names for ports',
      [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 'http' }, { port: 1 }] }],
      '10.0.0.0/8:tcp:1',
    ],
  ])('lets out %s', (_what, rules, expected) => {
    expect(egress(...rules)).toBe(expected);
  });
});
