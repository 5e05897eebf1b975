import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  const directory = await mkdtemp(join(tmpdir(), 'images-'));
  try {
    for (const name of [...CHART_IMAGES, ...(options.images ?? [])]) {
      await copyFile(await image(name), join(directory, `${name}.tar`));
    }
    const mounts: BindMount[] = [
      {
        source: await k3s(options.kubernetes ?? kubernetesVersion),
        destination: K3S_PATH,
        readonly: true,
      },
      ...(options.mounts ?? []),
    ];
    const sandbox = await startSandbox({ ...options, mounts });
    await sandbox.copyIn(directory, IMAGES_PATH);
    return sandbox;
  } finally {
    await rm(directory, { recursive: true });
  }
}
