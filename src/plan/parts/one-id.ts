import { hasOneUser } from '../../sandbox/facts.ts';
import type { Workaround } from '../part.ts';

/** Asked for by `id-map-helper: none`; see native/init/operations/one_id.c and native/adapter/workarounds/one_id.c. */
export const oneId: Workaround = {
  id: 'one-id',
  kind: 'workaround',
  where: { isolation: 'namespaces', modes: ['full'] },
  symptom:
    'failed to Lchown for UID 0, GID 42: invalid argument; error mounting "devpts": gid=5: invalid argument',
  source: 'https://man7.org/linux/man-pages/man7/user_namespaces.7.html',
  removeWhen: 'never: without the id map helper a runner that is not root has no id but its own',
  needed: ({ facts }) =>
    hasOneUser(facts)
      ? `there is one id here, user ${facts.user.uid}'s: calls that ask for another are answered with success and change nothing`
      : undefined,
  contribute: ({ facts }) => ({
    adaptsContainers: true,
    operations: { files: [['one-id']] },
    warning: `id-map-helper: none: every process of every pod is the runner's user ${facts.user.uid} and sees itself as root, whatever its image, runAsUser or fsGroup say; programs that refuse to be root do not run, and owners of files are not kept`,
  }),
};
