import { expect, it } from 'vitest';

import { residentParts } from '../../bench/resident.ts';

/** Seen in a stock sandbox, shortened. */
const PS = `
    1     0   4388 /bin/bash -c sleep infinity & wait
   65     1   1024 /opt/action/dist/native/linux-x64/init --status-fd 3 /opt/state/launch
   66    65   1024 /opt/action/dist/native/linux-x64/init --status-fd 3 /opt/state/launch
   67    66   3072 /opt/action/dist/native/linux-x64/gateway --control /opt/state/gateway.sock
   68    66 102400 /usr/local/bin/node /opt/action/dist/controller/index.js --kubeconfig /x
   69    66  10240 /root/.cache/k3s-in-gvisor/c26a/k3s server
   87    69  20480 kine --listen-address=unix://kine.sock
   91    69  30720 containerd -c /var/lib/rancher/k3s/agent/etc/containerd/config.toml
   99    91   1024 runc init
  231    66  32932 /var/lib/rancher/k3s/data/2a3e/bin/containerd-shim-runc-v2
  342   231  77544 /coredns -conf /etc/coredns/Corefile`;

it('counts each part with its children, and containers with none', () => {
  expect(residentParts(PS)).toEqual({
    init: { pid: 65, mib: 2 },
    gateway: { pid: 67, mib: 3 },
    controller: { pid: 68, mib: 100 },
    k3s: { pid: 69, mib: 61 },
  });
});

it('misses a part that is gone', () => {
  const withoutGateway = PS.split('\n').filter((line) => !line.includes('gateway --control'));
  expect(() => residentParts(withoutGateway.join('\n'))).toThrow(
    'Failed to measure gateway: it is not running',
  );
});
