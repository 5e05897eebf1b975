import { innerInit } from '../namespaces/find-init.ts';

/**
 * The socket of k3s's containerd, reached from outside: no process of ours is needed within.
 * @param init init's outer process
 */
export async function containerdSocket(init: number): Promise<string> {
  return `/proc/${await innerInit(init)}/root/run/k3s/containerd/containerd.sock`;
}
