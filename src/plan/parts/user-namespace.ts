import { can, isMapped } from '../../sandbox/facts.ts';
import type { Workaround } from '../part.ts';

/**
 * Chosen by the plan's namespaces (see `chooseNamespaces`); here only its consequences.
 */
export const userNamespace: Workaround = {
  id: 'user-namespace',
  kind: 'foundation',
  where: { isolation: 'namespaces' },
  symptom: 'mount: Operation not permitted',
  source: 'https://man7.org/linux/man-pages/man7/user_namespaces.7.html',
  removeWhen: 'never: a stock container has no CAP_SYS_ADMIN',
  needed: ({ facts }) =>
    can(facts, 'namespaces')
      ? undefined
      : `no CAP_SYS_ADMIN here (${facts.probes.namespaces.evidence}), root of a user namespace has it inside${
          isMapped(facts) ? `; its ids are mapped by ${facts.idMapper.join(' ')}` : ''
        }`,
  contribute: () => ({}),
};
