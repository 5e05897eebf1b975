import { image, type ImageName } from './images/images.ts';
import { k3s, kubernetesVersion } from './k3s.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
import type { BindMount } from './spec.ts';

/** What a cluster itself runs, and what the example chart does. */
const CHART_IMAGES: readonly ImageName[] = [
  'pause',
  'coredns',
  'local-path-provisioner',
  'busybox',
  'nginx',
  'curl',
];

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
  const images = await Promise.all(
    [...CHART_IMAGES, ...(options.images ?? [])].map(async (name): Promise<BindMount> => ({
      source: await image(name),
      destination: `${IMAGES_PATH}/${name}.tar`,
      readonly: true,
    })),
  );
  const binary: BindMount = {
    source: await k3s(options.kubernetes ?? kubernetesVersion),
    destination: K3S_PATH,
    readonly: true,
  };
  return startSandbox({ ...options, mounts: [binary, ...images, ...(options.mounts ?? [])] });
}
