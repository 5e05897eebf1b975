import { join } from 'node:path';
import { run } from '../exec.ts';
import { containerdSocket } from './containerd.ts';

/** A running cluster, as far as its images are asked about. */
export interface ImageStore {
  /** init's outer process. */
  readonly init: number;
  /** The directory of k3s's own programs. */
  readonly bin: string;
}

/** Imports an archive as docker or buildah saves it, OCI or docker, compressed or not, and unpacks it. */
export async function importArchive(store: ImageStore, path: string): Promise<void> {
  await ctr(store, ['images', 'import', path]);
}

/** The names of the cluster's images, sorted; without those that are digests only. */
export async function imageNames(store: ImageStore): Promise<string[]> {
  const names = await ctr(store, ['images', 'list', '--quiet']);
  return names
    .split('\n')
    .filter((name) => name !== '' && !name.startsWith('sha256:'))
    .sort();
}

/** k3s's own client speaks to its own containerd. The kubelet's images are in the namespace k8s.io. */
async function ctr({ init, bin }: ImageStore, args: readonly string[]): Promise<string> {
  const socket = await containerdSocket(init);
  return run([join(bin, 'ctr'), '--address', socket, '--namespace', 'k8s.io', ...args]);
}
