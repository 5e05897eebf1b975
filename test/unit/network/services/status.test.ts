import { describe, expect, test } from 'vitest';

import { serviceOf } from '../../../../src/network/services/objects.ts';
import { ingressFor } from '../../../../src/network/services/status.ts';
import { BALANCED, service } from './objects.ts';

const OWN = [{ ip: BALANCED, ipMode: 'VIP' }];
const FOREIGN = [{ ip: '192.0.2.1', ipMode: 'VIP' }];

describe('ingressFor', () => {
  test.each([
    ['a new load balancer', 'LoadBalancer', undefined, [], true, OWN],
    ['one that is announced', 'LoadBalancer', undefined, OWN, true, undefined],
    [
      'one announced by a server without ipMode',
      'LoadBalancer',
      undefined,
      [{ ip: BALANCED }],
      true,
      undefined,
    ],
    ['one announced elsewhere', 'LoadBalancer', undefined, FOREIGN, true, OWN],
    [
      'one announced here and elsewhere',
      'LoadBalancer',
      undefined,
      [...OWN, ...FOREIGN],
      true,
      OWN,
    ],
    ['one that lost its port', 'LoadBalancer', undefined, OWN, false, []],
    ['one that never had it', 'LoadBalancer', undefined, [], false, undefined],
    ["somebody else's", 'LoadBalancer', 'example.com/lb', FOREIGN, false, undefined],
    ['what is left after a change of type', 'ClusterIP', undefined, OWN, false, []],
    ['what somebody else left', 'ClusterIP', undefined, FOREIGN, false, undefined],
    ['a plain Service', 'ClusterIP', undefined, [], false, undefined],
  ])('%s', (_, type, loadBalancerClass, ingress, reachable, expected) => {
    const json = service({
      type,
      ...(loadBalancerClass && { loadBalancerClass }),
      status: { loadBalancer: { ingress } },
    });
    expect(
      ingressFor(serviceOf(json), reachable ? BALANCED : undefined, (ip) => ip === BALANCED),
    ).toEqual(expected);
  });
});
