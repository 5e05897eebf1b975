import { nodeRoot } from '../namespaces/find-init.ts';

/**
 * The socket of k3s's containerd, reached from outside.
 * @param init init's outer process
 */
export async function containerdSocket(init: number): Promise<string> {
  return `${await nodeRoot(init)}/run/k3s/containerd/containerd.sock`;
}
