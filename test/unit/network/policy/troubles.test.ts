import { expect, test } from 'vitest';

import { labelledPodOf, policyOf } from '../../../../src/network/policy/objects.ts';
import { policyNotices } from '../../../../src/network/policy/troubles.ts';

const pod = (name: string, namespace = 'a') =>
  labelledPodOf({
    metadata: { namespace, name, uid: `pod-${name}`, labels: { app: name } },
    spec: { containers: [] },
  });
const policy = (name: string, matchLabels: Record<string, string>, namespace = 'a') =>
  policyOf({
    metadata: { namespace, name, uid: `policy-${name}` },
    spec: { podSelector: { matchLabels } },
  });

const OBJECTS = {
  pods: [pod('web'), pod('db'), pod('free', 'b')].flatMap((found) => found ?? []),
  policies: [policy('web-only', { app: 'web' }), policy('everybody', {})],
  namespaces: [],
};

test('what is not in force is said of the pod and of the policies that select it', () => {
  const notices = policyNotices(OBJECTS, new Map([['a/web', 'isolated']]));
  expect(notices.map(({ about, reason }) => `${about.kind}/${about.name} ${reason}`)).toEqual([
    'Pod/web PolicyNotInForce',
    'NetworkPolicy/web-only PolicyNotInForce',
    'NetworkPolicy/everybody PolicyNotInForce',
  ]);
  expect(new Set(notices.map(({ message }) => message))).toEqual(
    new Set([expect.stringMatching(/^Pod web has more rules than a network namespace takes/)]),
  );
});

test('nothing is said of pods that no policy selects, or that are gone', () => {
  expect(
    policyNotices(
      OBJECTS,
      new Map([
        ['b/free', 'foreign'],
        ['a/gone', 'failed'],
      ]),
    ),
  ).toEqual([]);
  expect(policyNotices(OBJECTS, new Map())).toEqual([]);
});
