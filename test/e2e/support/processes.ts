import type { Sandbox } from '../../testbed/sandbox.ts';

/** The process ids of init's two halves, the parent first: it is the older one. */
export async function initProcesses(sandbox: Sandbox): Promise<string[]> {
  const { stdout } = await sandbox.exec(['pgrep', '--full', '^[^ ]*/init --status-fd ']);
  return stdout.split('\n').filter((line) => line !== '');
}
