import { WITH_NODE, type Workaround } from '../part.ts';

/** What k3s's own systemd unit says (LimitNOFILE); here nobody does, and pods get the runner's. */
const LIMIT = 1_048_576;

export const openFiles: Workaround = {
  id: 'open-files',
  kind: 'tuning',
  where: { isolation: 'namespaces', modes: WITH_NODE },
  symptom:
    'mysqld: Out of memory (a table of 2^30 descriptors), or: max file descriptors [1024] too low',
  source: 'https://github.com/docker-library/mysql/issues/579',
  removeWhen: 'never: a runner may have any limit',
  needed: () => `pods may open ${LIMIT} files, whatever the runner's own limit is`,
  contribute: () => ({ operations: { system: [['open-files', String(LIMIT)]] } }),
};
