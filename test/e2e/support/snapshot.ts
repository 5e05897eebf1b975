import type { Sandbox } from '../../testbed/sandbox.ts';

/** What a run could leave behind besides files, each a list in a fixed order. */
const STATE = {
  processes: 'exec ps -eo args --no-headers',
  // Mount ids differ from process to process.
  mounts: 'cut -d" " -f4- /proc/self/mountinfo',
  links: 'cut -d: -f1 /proc/net/dev',
  routes: 'cat /proc/net/route',
  listeners:
    'grep -h " 0A " /proc/net/tcp /proc/net/tcp6 | tr -s " " | cut -d" " -f3; cat /proc/net/udp; cut -d" " -f8 /proc/net/unix',
  // gVisor numbers user namespaces anew at each look.
  namespaces: 'readlink /proc/[0-9]*/ns/* | grep -v ^user: | sort -u',
  cgroups:
    'find /sys/fs/cgroup -type d | sort; cat /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true',
} as const;

export type Snapshot = Readonly<Record<keyof typeof STATE | 'files', readonly string[]>>;

/** Everything of the sandbox's kernel that a run could change, for comparison; without its files. */
export async function kernelState(sandbox: Sandbox): Promise<Omit<Snapshot, 'files'>> {
  const state: Record<string, readonly string[]> = {};
  // One after the other, or the list of processes has those of the other lists.
  for (const [name, script] of Object.entries(STATE)) {
    const found = await lines(sandbox, ['sh', '-c', script]);
    // What asks is no part of the answer.
    state[name] = found.filter((line) => !line.startsWith('ps -eo args')).sort();
  }
  return state as Omit<Snapshot, 'files'>;
}

/** As `kernelState`, with every file outside of `except`. */
export async function snapshot(sandbox: Sandbox, except: readonly string[]): Promise<Snapshot> {
  const prune = ['/proc', '/sys', ...except].flatMap((path) => ['-path', path, '-prune', '-o']);
  const files = await lines(sandbox, [
    ...['find', '/', ...prune],
    // A directory's time changes with every temporary file, which is no trace of one.
    ...['-type', 'd', '-printf', '%p %y %m %U:%G\\n', '-o'],
    ...['-printf', '%p %y %m %U:%G %s %T@ %l\\n'],
  ]);
  return { ...(await kernelState(sandbox)), files: files.sort() };
}

async function lines(sandbox: Sandbox, argv: readonly string[]): Promise<string[]> {
  // As root, whoever the runner is: what it may not read could hide what was left.
  const user = { uid: 0, gid: 0 };
  const { code, stdout, stderr } = await sandbox.exec(argv, { user });
  if (code !== 0) throw new Error(`Failed to run ${argv.join(' ')}: code ${code}\n${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}
