import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { InputError } from './errors.ts';
import type { Isolation } from './mode.ts';

/** Every path a run uses. What is not below `state` is only read. */
export interface Layout {
  /** The run's own directory in the runner; also bound into the private root, at the same path. */
  readonly state: string;
  readonly logs: string;
  /** Copies of all that helps to explain a failure, without secrets. */
  readonly bundle: string;
  readonly launchFile: string;
  /** The kubeconfig k3s writes, for use inside; its address is the node's. */
  readonly k3sKubeconfig: string;
  /** Of the private root: a socket's path has 107 bytes (unix(7)), and RUNNER_TEMP may be long. */
  readonly gatewaySocket: string;
  /** k3s, where the cache that outlives the run cannot be written. */
  readonly ownCache: string;
  /** A tmpfs of the new mount namespace: the private root's writable layer. */
  readonly scratch: string;
  /** The private root, until it is entered. */
  readonly newRoot: string;
  /** init, probe, gateway, cni and adapter for this machine. */
  readonly native: string;
  /** The sources of the native programs. */
  readonly nativeSources: string;
  /** The interceptor, where it is needed. */
  readonly interceptor: string;
  /** The cgroup above those of this run's pods, by its name in each hierarchy. */
  readonly podCgroups: string;
  readonly controller: string;
  readonly importer: string;
  readonly commandLine: string;
  /** The interceptor's tree of answers, mirroring /; its path must be short. */
  readonly answers: string;
  readonly node: string;
}

/** Where k3s's own files are, which depends on whether it has a root of its own. */
export interface K3sPaths {
  readonly data: string;
  readonly config: string;
  readonly registries: string;
}

export function k3sPaths(isolation: Isolation, layout: Layout): K3sPaths {
  return isolation === 'namespaces'
    ? {
        data: K3S_DATA,
        // Not k3s's own place: what the runner has beside that would be read as well.
        config: `${PRIVATE_FILES}/k3s/config.yaml`,
        registries: '/etc/rancher/k3s/registries.yaml',
      }
    : {
        data: join(layout.state, 'k3s'),
        config: join(layout.state, 'config.yaml'),
        registries: join(layout.state, 'registries.yaml'),
      };
}

/** k3s's default data directory, a tmpfs in the private root. */
export const K3S_DATA = '/var/lib/rancher/k3s';

/** A directory of the private root for files that workarounds make. */
export const PRIVATE_FILES = '/run/k3s-in-gvisor';

/** What the post step knows of a run: only where it is. */
export function runPaths(state: string): Pick<Layout, 'state' | 'logs' | 'bundle' | 'launchFile'> {
  return {
    state,
    logs: join(state, 'logs'),
    bundle: join(state, 'bundle'),
    launchFile: join(state, 'launch'),
  };
}

/** Why a run's directory cannot be there: overlays take its path in a list of options. */
export function whyUnusable(state: string): string | undefined {
  if (/[,:\\]/.test(state)) {
    return 'has a comma, a colon or a backslash in it, which no overlay takes';
  }
  // "system validation failed - wrong number of fields (expected 6, got 7)"
  return /\s/.test(state)
    ? "has a blank in it, which gVisor writes into /proc/mounts as it is, and the kubelet's reader stops"
    : undefined;
}

/** @throws InputError if the run's directory cannot be where it is */
export function assertUsable({ state }: Layout): void {
  const why = whyUnusable(state);
  if (why !== undefined) {
    throw new InputError(`Failed to use the directory ${state}: its path ${why}; give another one`);
  }
}

/**
 * @param state the run's own directory
 * @param dist the directory that holds the bundles and `native/`
 * @param arch Node's name of the architecture
 * @param node the Node binary the controller runs on
 */
export function layoutOf(state: string, dist: string, arch: string, node: string): Layout {
  const scratch = join(state, 'scratch');
  return {
    ...runPaths(state),
    k3sKubeconfig: join(state, 'k3s.yaml'),
    gatewaySocket: join(PRIVATE_FILES, 'gateway.sock'),
    ownCache: join(state, 'cache'),
    scratch,
    newRoot: join(scratch, 'root'),
    answers: join(state, 'answers'),
    native: join(dist, 'native', `linux-${arch}`),
    nativeSources: join(dist, '..', 'native'),
    interceptor: join(state, 'interceptor'),
    podCgroups: `k3s-in-gvisor-${createHash('sha256').update(state).digest('hex').slice(0, 8)}`,
    controller: join(dist, 'controller', 'index.js'),
    importer: join(dist, 'importer', 'index.js'),
    commandLine: join(dist, 'cli', 'index.js'),
    node,
  };
}
