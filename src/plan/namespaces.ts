import type { Forced } from '../inputs/workarounds.ts';
import type { Isolation } from '../mode.ts';
import type { Launch, Namespace } from '../namespaces/operations.ts';
import { can, hasOneUser, isMapped, type Facts } from '../sandbox/facts.ts';
import { userNamespace } from './parts/user-namespace.ts';

const NAMESPACES: readonly Namespace[] = ['mount', 'pid', 'network', 'uts', 'ipc'];

/**
 * Images hold files of any id, and pods run as any. Without the last id it is not the map that the
 * kubelet and runc take for "no user namespace".
 */
const ALL_IDS = 2 ** 32 - 2;

/** The least that works: no user namespace where the runner may make the others without. */
export function chooseNamespaces(wanted: {
  readonly isolation: Isolation;
  readonly facts: Facts;
  readonly forced: Forced;
}): Omit<Launch, 'steps'> {
  const { isolation, facts, forced } = wanted;
  if (isolation === 'none') {
    return { namespaces: [], idMaps: [], denySetgroups: false };
  }
  if (!(forced.get(userNamespace.id) ?? !can(facts, 'namespaces'))) {
    return { namespaces: NAMESPACES, idMaps: [], denySetgroups: false };
  }
  const namespaces: Namespace[] = ['user', ...NAMESPACES];
  if (isMapped(facts)) {
    return { namespaces, idMaps: [], denySetgroups: false, mapper: facts.idMapper };
  }
  return hasOneUser(facts)
    ? {
        namespaces,
        idMaps: [{ inside: 0, outside: facts.user.uid, count: 1 }],
        denySetgroups: true,
      }
    : {
        namespaces,
        idMaps: [
          { inside: 0, outside: 0, count: can(facts, 'user-namespace-all') ? ALL_IDS : 65_536 },
        ],
        denySetgroups: false,
      };
}
