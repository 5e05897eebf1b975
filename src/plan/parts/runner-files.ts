import { join } from 'node:path';
import type { Workaround } from '../part.ts';

/** k3s among the runner's own files, where a private root cannot be had; post removes what it leaves. */
export const runnerFiles: Workaround = {
  id: 'runner-files',
  kind: 'foundation',
  where: { isolation: 'none' },
  symptom: 'Failed to create the namespaces: Operation not permitted',
  source: 'https://docs.docker.com/engine/security/seccomp/',
  removeWhen: 'never: with -oci-seccomp a container may be refused mount, unshare and clone',
  needed: () =>
    "no namespace and no mount is allowed here, so k3s uses the runner's own files and network",
  contribute: ({ layout, mode, facts, paths }) => ({
    k3s: {
      'data-dir': paths.data,
      'flannel-backend': 'none',
      'disable-kube-proxy': true,
      'disable-network-policy': true,
      'disable-cloud-controller': true,
      disable: ['servicelb', 'coredns', 'local-storage'],
      'https-listen-port': facts.apiServerPort,
      ...runnerAddress(facts.networks),
      ...(mode === 'control-plane'
        ? {}
        : {
            // overlayfs needs a mount, and k3s refuses to start without it.
            snapshotter: 'native',
            'kubelet-arg': [`root-dir=${join(layout.state, 'kubelet')}`],
          }),
    },
    containerd: {
      "plugins.'io.containerd.cri.v1.runtime'.cni": { conf_dir: join(layout.state, 'cni') },
    },
    operations: {
      files:
        mode === 'control-plane'
          ? []
          : [
              ['directory', join(layout.state, 'cni'), '0755'],
              // The kubelet is Ready only with a network; no pod will ever ask for it here.
              [
                'write',
                join(layout.state, 'cni', '10-loopback.conflist'),
                '0644',
                JSON.stringify({
                  cniVersion: '1.0.0',
                  name: 'loopback',
                  plugins: [{ type: 'loopback' }],
                }),
              ],
            ],
    },
    leftBehind: [
      '/etc/rancher',
      '/etc/cni',
      '/opt/cni',
      '/run/k3s',
      '/run/containerd',
      '/run/nri',
      '/run/flannel',
      '/var/lib/cni',
      '/var/lib/kubelet',
      '/var/lib/rancher',
      '/var/log/containers',
      '/var/log/pods',
      '/usr/libexec/kubernetes',
    ],
  }),
};

/** k3s looks for a default route otherwise, and an address it finds on its own may be another. */
function runnerAddress(networks: readonly string[]): { 'node-ip'?: string } {
  const address = networks[0]?.split('/')[0];
  return address === undefined ? {} : { 'node-ip': address };
}
