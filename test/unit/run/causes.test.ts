import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCauses, HEADINGS } from '../../../src/run/causes.ts';

/** Lines as the programs word them, the kubelet's and containerd's after their sources. */
const SEEN: Readonly<Record<string, readonly [rung: string, line: string]>> = {
  'unknown flag': ['kubeconfig written', 'Error: flag provided but not defined: -no-such-flag'],
  'no space left on device': [
    'cluster DNS ready',
    'E1125 04:00:00.000000 7 a.go:1] failed to extract layer sha256:0a: write /var/lib/rancher/k3s/agent/containerd/x: no space left on device',
  ],
  'cannot allocate memory': [
    'node Ready',
    'runtime/cgo: pthread_create failed: fork/exec /usr/bin/runc: cannot allocate memory',
  ],
  'address already in use': [
    'API server ready',
    'Error: listen EADDRINUSE: address already in use 0.0.0.0:8413',
  ],
  '401 Unauthorized': [
    'images pulled',
    'Failed to pull r.test/a:1: failed to pull and unpack image "r.test/a:1": failed to resolve reference "r.test/a:1": unexpected status from HEAD request to https://r.test/v2/a/manifests/1: 401 Unauthorized',
  ],
  '429 Too Many Requests': [
    'cluster DNS ready',
    'coredns: ErrImagePull: failed to pull and unpack image "docker.io/x": unexpected status from HEAD request to https://registry-1.docker.io/v2/x/manifests/1: 429 Too Many Requests',
  ],
  'x509: certificate signed by unknown authority': [
    'cluster DNS ready',
    'coredns: ErrImagePull: failed to do request: Head "https://r.test/v2/a": tls: failed to verify certificate: x509: certificate signed by unknown authority',
  ],
  'server gave HTTP response to HTTPS client': [
    'images pulled',
    'Failed to pull registry.test:5001/app:1: failed to pull and unpack image "registry.test:5001/app:1": failed to resolve reference "registry.test:5001/app:1": failed to do request: Head "https://registry.test:5001/v2/app/manifests/1": http: server gave HTTP response to HTTPS client',
  ],
  'failed to pull and unpack image': [
    'cluster DNS ready',
    'coredns: ErrImagePull: failed to pull and unpack image "docker.io/x": failed to do request: Head "https://registry-1.docker.io/v2/x": dial tcp: lookup registry-1.docker.io: no such host',
  ],
  ErrImagePull: [
    'later',
    'default/web: web: ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/x": docker.io/x: not found',
  ],
  'cni plugin not initialized': [
    'node Ready',
    'runner: not Ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
  ],
  'Failed to start ContainerManager': [
    'node Ready',
    'E1125 04:00:00.000000 7 kubelet.go:1] "Failed to start ContainerManager" err="open /proc/sys/vm/panic_on_oom: no such file or directory"',
  ],
  'too many open files': [
    'node Ready',
    'E1125 04:00:00.000000 7 a.go:1] failed to create fsnotify watcher: too many open files',
  ],
  'ended with signal 9': [
    'node Ready',
    'Failed to reach "node Ready": k3s ended with signal 9; init ended with exit code 137; last seen: nothing yet',
  ],
};

describe('findCauses', () => {
  it.each(Object.entries(SEEN))('knows %s', (heading, [rung, line]) => {
    expect(findCauses(['all is well', line], rung)[0]).toMatchObject({ heading, evidence: line });
  });

  it('looks only for what can be the cause at that rung', () => {
    const line = 'web: ErrImagePull: 401 Unauthorized';
    expect(findCauses([line], 'node Ready')).toEqual([]);
    expect(findCauses([line], 'later').map(({ heading }) => heading)).toEqual([
      '401 Unauthorized',
      'ErrImagePull',
    ]);
  });

  it('says nothing about what it does not know', () => {
    expect(findCauses(['all is well'], 'later')).toEqual([]);
  });
});

it('has a line for each cause', () => {
  expect(Object.keys(SEEN).sort()).toEqual([...HEADINGS].sort());
});

it('has a heading in docs/troubleshooting.md for each cause', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/troubleshooting.md'), 'utf8');
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(HEADINGS.filter((heading) => !headings.includes(heading))).toEqual([]);
});
