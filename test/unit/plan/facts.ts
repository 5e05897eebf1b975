import {
  NATIVE_PROBES,
  type Answer,
  type Facts,
  type ProbeName,
} from '../../../src/sandbox/facts.ts';
import { KUBELET_SYSCTLS } from '../../../src/plan/kernel-settings.ts';

const YES: Answer = { result: 'yes', evidence: '' };
const no = (evidence: string): Answer => ({ result: 'no', evidence });

/** Facts as a stock Docker container under runsc has them, seen on 20260905; `no` names more that is refused. */
export function stockFacts(
  change: { no?: readonly ProbeName[]; yes?: readonly ProbeName[] } = {},
): Facts {
  const refused = new Set<ProbeName>([
    'mount',
    'namespaces',
    'cgroup-v2-inherited',
    'cgroup-v2-mount',
    'kmsg',
    'session-keyring',
    'user-namespace-mapped',
    ...(change.no ?? []),
  ]);
  change.yes?.forEach((name) => refused.delete(name));
  return {
    probes: Object.fromEntries(
      NATIVE_PROBES.map((name) => [name, refused.has(name) ? no('Operation not permitted') : YES]),
    ) as Record<ProbeName, Answer>,
    sysctls: {
      ...Object.fromEntries(
        Object.keys(KUBELET_SYSCTLS).map((path) => [path, no('No such file or directory')]),
      ),
      'vm/overcommit_memory': { result: 'yes', evidence: '0' },
    },
    user: { uid: 0, gid: 0 },
    hostname: 'runner',
    memory: 4 * 2 ** 30,
    mounts: ['/tmp'],
    networks: ['172.17.0.2/16'],
    resolver: { nameservers: ['172.17.0.1'], otherLines: ['search example.org'] },
    hosts: '127.0.0.1 localhost\n',
    proxy: { http: '', https: '', no: '', address: '' },
    apiServerPort: 6443,
    machineId: no('empty'),
    idMapper: [],
    oneIdWillDo: false,
    fileCapabilities: YES,
    etcRancher: YES,
  };
}
