import { describe, expect, it } from 'vitest';
import { chooseAddresses } from '../../../src/plan/addresses.ts';

describe('chooseAddresses', () => {
  it.each([
    [[], '10.42.0.0/16', '10.43.0.0/16'],
    [['172.17.0.2/16'], '10.42.0.0/16', '10.43.0.0/16'],
    [['10.42.7.2/24'], '10.142.0.0/16', '10.143.0.0/16'],
    [['10.43.0.9/32'], '10.142.0.0/16', '10.143.0.0/16'],
    [['10.1.2.3/8'], '172.26.0.0/16', '172.27.0.0/16'],
  ])('for a runner in %j takes pods %s, services %s', (networks, podCidr, serviceCidr) => {
    expect(chooseAddresses(networks)).toMatchObject({ podCidr, serviceCidr });
  });

  it("gives the node the bridge's address and DNS k3s's", () => {
    expect(chooseAddresses([])).toMatchObject({
      nodeCidr: '10.42.0.0/24',
      node: '10.42.0.1',
      clusterDns: '10.43.0.10',
    });
  });

  it('says so when nothing is free', () => {
    expect(() => chooseAddresses(['0.0.0.0/0'])).toThrow(/Failed to choose the cluster's networks/);
  });

  it('takes the networks that are asked for, and fits the others to them', () => {
    expect(chooseAddresses([], { pods: '10.52.16.0/20' })).toEqual({
      podCidr: '10.52.16.0/20',
      nodeCidr: '10.52.16.0/24',
      serviceCidr: '10.43.0.0/16',
      loadBalancerCidr: '10.44.0.0/24',
      node: '10.52.16.1',
      nowhere: '10.52.16.254',
      clusterDns: '10.43.0.10',
    });
    expect(chooseAddresses([], { pods: '10.43.0.0/16', services: '10.42.0.0/16' })).toMatchObject({
      podCidr: '10.43.0.0/16',
      serviceCidr: '10.42.0.0/16',
      loadBalancerCidr: '10.144.0.0/24',
      clusterDns: '10.42.0.10',
    });
    expect(chooseAddresses([], { services: '10.53.0.0/16', dns: '10.53.0.53' }).clusterDns).toBe(
      '10.53.0.53',
    );
  });

  it.each([
    [['10.52.3.4/24'], { pods: '10.52.0.0/16' }, /overlaps with the runner's own .*10\.52\.3\.4/],
    [[], { pods: '10.0.0.0/8', services: '10.53.0.0/16' }, /--cluster-cidr .* overlap$/],
    [[], { dns: '10.99.0.10' }, /--cluster-dns 10\.99\.0\.10 is not in .* 10\.43\.0\.0\/16/],
  ])('for a runner in %j refuses %j', (networks, asked, message) => {
    expect(() => chooseAddresses(networks, asked)).toThrow(message);
  });
});
