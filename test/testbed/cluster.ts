import { basename } from 'node:path';

import { image, type ImageName } from './images/images.ts';
import { k3s, kubernetesVersion } from './k3s.ts';
import { released } from './releases.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
import type { BindMount } from './spec.ts';

/** What a cluster itself runs; an official k3s has its own archive of them. */
export const OWN_IMAGES: readonly ImageName[] = [
  'pause',
  'coredns',
  'local-path-provisioner',
  'busybox',
];
/** What the example chart runs. */
export const CHART_IMAGES: readonly ImageName[] = ['nginx', 'curl'];

/** Where workflows find the k3s binary and the image tars. */
export const K3S_PATH = '/opt/testbed/k3s';
export const IMAGES_PATH = '/opt/testbed/images';

export interface ClusterSandboxOptions extends SandboxOptions {
  /** Images beyond those of the chart. */
  images?: readonly ImageName[];
  kubernetes?: string;
}

/** A sandbox with a k3s binary and image tars at hand, as a runner image might bring them. */
export async function startClusterSandbox(options: ClusterSandboxOptions = {}): Promise<Sandbox> {
  const airgap = await released('airgap-images');
  const built = [...(airgap ? [] : OWN_IMAGES), ...CHART_IMAGES, ...(options.images ?? [])];
  const archives = [...(airgap ? [airgap] : []), ...(await Promise.all(built.map(image)))];
  const images = archives.map((source): BindMount => ({
    source,
    destination: `${IMAGES_PATH}/${basename(source)}`,
    readonly: true,
  }));
  const binary: BindMount = {
    source: await k3s(options.kubernetes ?? kubernetesVersion),
    destination: K3S_PATH,
    readonly: true,
  };
  return startSandbox({ ...options, mounts: [binary, ...images, ...(options.mounts ?? [])] });
}
