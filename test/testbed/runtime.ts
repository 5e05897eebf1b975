import { native } from './native.ts';
import type { ProcessIdentity } from './processes.ts';
import { runsc } from './runsc.ts';
import type { BindMount, User } from './spec.ts';
import type { Profile, SandboxRecord } from './state.ts';

export interface StartOptions {
  rootfs: string;
  /** Directory holding `resolv.conf`, `hostname` and `hosts`. */
  etc: string;
  /** Path of the network namespace. */
  netns: string;
  mounts: readonly BindMount[];
  tmpfs: readonly string[];
  memory?: number | undefined;
  cgroup: 'v1' | 'v2';
}

export interface ExecRequest {
  argv: readonly string[];
  /** The whole environment, as NAME=value. */
  env: readonly string[];
  cwd: string;
  user: User;
  /** A host directory for files that belong to this command. */
  dir: string;
}

/** What runs a sandbox's processes. */
export interface Runtime {
  /** Returns the host process whose end is the sandbox's end. */
  start(record: SandboxRecord, options: StartOptions): Promise<ProcessIdentity>;
  /** The host command that runs a command inside and ends with its exit code. */
  execArgv(record: SandboxRecord, request: ExecRequest): Promise<string[]>;
  /** Kills a command inside, given the host command's process. */
  killExec(record: SandboxRecord, request: ExecRequest, pid: number): Promise<void>;
  /** Kills everything inside; nothing to kill is no error. */
  destroy(record: SandboxRecord): Promise<void>;
}

export const runtimeOf = (profile: Profile): Runtime => (profile === 'native' ? native : runsc);
