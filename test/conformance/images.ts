import type { Action } from '../bench/action.ts';
import { K3S_PATH } from '../testbed/cluster.ts';
import type { ImageName } from '../testbed/images/images.ts';

/** Images the tests need beyond those of the chart. */
export const IMAGES: readonly ImageName[] = ['agnhost'];

const E2E = 'registry.k8s.io/e2e-test-images';

/**
 * Names the tests use for what the testbed's images can do as well. Those that would need programs
 * the testbed does not have are left out, and their tests fail for it.
 */
const ALIASES: readonly (readonly [have: string, want: string])[] = [
  ['docker.io/rancher/mirrored-library-busybox:1.37.0', `${E2E}/busybox:1.37.0-1`],
  ['docker.io/library/nginx:1.22.1', `${E2E}/nginx:1.14-4`],
  ['docker.io/library/nginx:1.22.1', `${E2E}/nginx:1.15-4`],
  ['docker.io/rancher/mirrored-pause:3.6', 'registry.k8s.io/pause:3.10.1'],
  // Asked for dig, getent and a shell only.
  [`${E2E}/agnhost:2.56`, `${E2E}/jessie-dnsutils:1.7`],
];

/** Gives images in the node's store their other names. */
export async function aliasImages(cluster: Action): Promise<void> {
  for (const [have, want] of ALIASES) {
    const address = ['--address', '/run/k3s/containerd/containerd.sock'];
    const tag = [K3S_PATH, 'ctr', ...address, '--namespace', 'k8s.io', 'images', 'tag', have, want];
    await cluster.node(tag);
  }
}
