import { can } from '../../sandbox/facts.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/**
 * runc gives each container a session keyring. gVisor keeps every one of them, 200 for a user
 * namespace: the 201st container of a cluster does not start, and none after it.
 */
export const sessionKeyring: Workaround = {
  id: 'session-keyring',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom:
    'runc create failed: unable to start container process: error during container init: unable to join session keyring: unable to create session key: disk quota exceeded',
  source: 'https://github.com/google/gvisor/blob/master/pkg/sentry/kernel/auth/key.go',
  removeWhen: 'gVisor drops keyrings that nobody holds',
  needed: ({ facts }) =>
    can(facts, 'session-keyring')
      ? undefined
      : `containers share the runner's (${facts.probes['session-keyring'].evidence})`,
  contribute: () => ({
    containerd: {
      "plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options": {
        NoNewKeyring: true,
      },
    },
  }),
};
