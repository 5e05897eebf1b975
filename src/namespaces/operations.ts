/**
 * What native/init can do, one directive each; its README has the grammar. The arguments are the
 * directive's fields in order.
 */
export type Operation =
  | readonly ['directory', path: string, mode: string]
  | readonly ['write', path: string, mode: string, content: string]
  | readonly ['set', path: string, content: string]
  | readonly ['copy', source: string, target: string, mode: string]
  | readonly ['symlink', target: string, path: string]
  | readonly ['mount', source: string, target: string, type: string, flags: string, data: string]
  | readonly ['bind', source: string, target: string, flags: string]
  | readonly ['propagation', path: string, propagation: 'shared' | 'private' | 'slave']
  | readonly ['propagation-here', path: string, propagation: 'shared' | 'private' | 'slave']
  | readonly ['pivot', root: string]
  | readonly ['unmount', path: string]
  | readonly ['remove-group', path: string]
  | readonly ['hostname', name: string]
  | readonly ['open-files', limit: string]
  | readonly ['one-id']
  | readonly ['link-up', name: string]
  | readonly ['bridge', name: string]
  | readonly ['port', bridge: string, name: string, cidr: string]
  | readonly [
      'distant-port',
      netns: string,
      bridge: string,
      port: string,
      name: string,
      cidr: string,
    ]
  | readonly ['default-route', gateway: string, device: string]
  | readonly ['environment', key: string, value: string]
  | readonly ['process', name: string, policy: ProcessPolicy, log: string]
  | readonly ['argument', process: string, value: string]
  | readonly ['process-environment', process: string, key: string, value: string]
  | readonly ['uplink', process: string]
  | readonly ['start', process: string]
  | readonly ['await', process: string]
  | readonly ['ready'];

/** essential: its end ends everything; restart: started again with back-off; helper: may end. */
export type ProcessPolicy = 'essential' | 'restart' | 'helper';

export type Namespace = 'user' | 'mount' | 'pid' | 'network' | 'uts' | 'ipc';

/** A range of ids: `count` of them, from `inside` in the new user namespace and `outside` in the runner's. */
export interface IdMap {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** Operations that belong together, with why they are there. */
export interface Step {
  /** The workaround's id, or the name of the part of the layout. */
  readonly id: string;
  readonly reason: string;
  /** Its operations hold what must not be printed. */
  readonly isSecret?: true;
  readonly operations: readonly Operation[];
}

export interface Launch {
  readonly namespaces: readonly Namespace[];
  /** Used for users and for groups; empty without the user namespace. */
  readonly idMaps: readonly IdMap[];
  /** A process without CAP_SETGID may write its gid map only after it has given up setgroups (user_namespaces(7)). */
  readonly denySetgroups: boolean;
  /** In the place of `idMaps`: a program and its arguments that maps the ids, given the process id as the last. */
  readonly mapper?: readonly string[] | undefined;
  readonly steps: readonly Step[];
}

/** The launch file of `launch`: a directive a line, fields separated by tabs, each step under its id and reason. */
export function renderLaunchFile(launch: Launch): string {
  const header: (readonly string[])[] = [['namespaces', launch.namespaces.join(',')]];
  for (const { inside, outside, count } of launch.idMaps) {
    const fields = [String(inside), String(outside), String(count)];
    header.push(['map-uid', ...fields], ['map-gid', ...fields]);
  }
  header.push(...(launch.mapper ?? []).map((argument) => ['mapper', argument]));
  if (launch.denySetgroups) {
    header.push(['setgroups', 'deny']);
  }
  const steps = launch.steps.flatMap((step) => [
    `# ${step.id}: ${step.reason}`.replaceAll('\n', ' '),
    ...step.operations.map(renderFields),
  ]);
  return [...header.map(renderFields), ...steps, ''].join('\n');
}

/** A line of TAB separated fields (native/lib/fields.h). */
export function renderFields(fields: readonly string[]): string {
  return fields.map(escapeField).join('\t');
}

function escapeField(field: string): string {
  return field.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}
