export const MODES = ['full', 'node', 'control-plane'] as const;

/** How much of a cluster runs, most first: each mode can do what the ones after it can. */
export type Mode = (typeof MODES)[number];

export const SYSCTLS = ['auto', 'bind', 'ptrace'] as const;

/** How the sysctls that gVisor lacks are answered: by a mount, by the interceptor, or by what works. */
export type Sysctls = (typeof SYSCTLS)[number];

/**
 * Where k3s runs: in namespaces of its own with a private root, or, where the sandbox refuses both,
 * among the runner's own files and on its network.
 */
export type Isolation = 'namespaces' | 'none';
