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
});
