import { describe, expect, it } from 'vitest';
import type { Component } from '../../../src/inputs/components.ts';
import { parseK3sArgs } from '../../../src/inputs/k3s-args.ts';
import type { Mode } from '../../../src/mode.ts';
import { chooseAddresses } from '../../../src/plan/addresses.ts';
import { planCoredns } from '../../../src/plan/coredns.ts';

const TEMPLATE = 'kind: ConfigMap';

function planFor(given: { args?: string; mode?: Mode; components?: readonly Component[] } = {}) {
  const { args = '', mode = 'full', components = ['coredns'] } = given;
  const k3sArgs = parseK3sArgs(args);
  return planCoredns(
    {
      ...{ mode, nodeName: 'runner' },
      addresses: chooseAddresses(['172.17.0.2/16'], k3sArgs.networks),
      k3s: { binary: '/k3s', dataDir: '/data', containerdDropIns: true, coredns: TEMPLATE },
    },
    { components, k3sArgs },
  );
}

describe('planCoredns', () => {
  it("hands over k3s's own manifest, with this node among the hosts", () => {
    expect(planFor({ args: '--debug' })).toEqual({
      template: TEMPLATE,
      clusterDns: '10.43.0.10',
      clusterDomain: 'cluster.local',
      nodeHosts: '10.42.0.1 runner\n',
    });
  });

  it('knows the networks that were asked for', () => {
    const args = '--service-cidr=10.50.0.0/16 --cluster-dns=10.50.0.53 --cluster-cidr=10.52.0.0/16';
    expect(planFor({ args })).toMatchObject({
      template: TEMPLATE,
      clusterDns: '10.50.0.53',
      nodeHosts: '10.52.0.1 runner\n',
    });
  });

  it.each(['--cluster-domain=example.org', '--system-default-registry registry.example'])(
    'leaves the manifest to k3s, but not the hosts, with %s',
    (args) => {
      expect(planFor({ args })).toMatchObject({ template: null, nodeHosts: '10.42.0.1 runner\n' });
    },
  );

  it('hands nothing over where there is no CoreDNS', () => {
    expect(planFor({ components: ['local-storage'] })).toBeUndefined();
    expect(planFor({ mode: 'node' })).toBeUndefined();
    expect(planFor({ mode: 'control-plane' })).toBeUndefined();
  });
});
