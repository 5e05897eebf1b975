import { InputError } from '../errors.ts';
import type { K3s } from '../k3s/unpack.ts';
import type { Layout } from '../layout.ts';

/**
 * overlayfs separates its options by commas and its lower layers by colons, and gVisor knows no
 * escape for them (pkg/sentry/vfs/options.go).
 * @throws InputError with the path that no overlay can be made of, and what decides it
 */
export function assertOverlayPaths(layout: Layout, k3s: Pick<K3s, 'dataDir'>): void {
  const paths = [
    {
      path: layout.scratch,
      what: 'RUNNER_TEMP, or the option state',
      separators: { ',': 'comma' },
    },
    {
      path: k3s.dataDir,
      what: 'RUNNER_TOOL_CACHE, or XDG_CACHE_HOME',
      separators: { ',': 'comma', ':': 'colon' },
    },
  ];
  for (const { path, what, separators } of paths) {
    for (const [character, name] of Object.entries(separators)) {
      if (path.includes(character)) {
        throw new InputError(
          `${what}: "${path}" has a ${name}, which overlayfs takes for the end of the path; choose a directory without`,
        );
      }
    }
  }
}
