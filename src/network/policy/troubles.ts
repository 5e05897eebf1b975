import type { Trouble } from '../gateway/session.ts';
import type { Notice } from '../notice.ts';
import type { PolicyObjects } from './compile.ts';

const MESSAGES: Readonly<Record<Trouble, string>> = {
  foreign:
    'has packet filter rules of its own, which are left alone: what policies say about it and other pods on the bridge is enforced by those pods and the gateway only',
  isolated:
    'has more rules than a network namespace takes: it is cut off from all other pods on the bridge, whatever policies allow',
  failed: 'could not be given the rules of its policies, which is tried again: see gateway.log',
};

/** For the pods in trouble that a policy selects, and for those policies. */
export function policyNotices(
  { policies, pods }: PolicyObjects,
  troubles: ReadonlyMap<string, Trouble>,
): Notice[] {
  if (troubles.size === 0) return [];
  const all = [...policies];
  return [...pods].flatMap((pod) => {
    const trouble = troubles.get(`${pod.namespace}/${pod.name}`);
    const selecting = all.filter(
      (policy) => policy.namespace === pod.namespace && policy.pods(pod.labels),
    );
    if (!trouble || selecting.length === 0) return [];
    return [pod.ref, ...selecting.map(({ ref }) => ref)].map((about) => ({
      about,
      reason: 'PolicyNotInForce',
      message: `Pod ${pod.name} ${MESSAGES[trouble]}`,
    }));
  });
}
