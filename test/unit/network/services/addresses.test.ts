import { describe, expect, test } from 'vitest';

import { balancerAddresses } from '../../../../src/network/services/addresses.ts';
import { serviceOf, type Service } from '../../../../src/network/services/objects.ts';
import { BALANCED, service } from './objects.ts';

const RANGE = '10.44.0.0/24';
const balancer = (name: string, minute: number, ip?: string): Service =>
  serviceOf(
    service({
      name,
      minute,
      type: 'LoadBalancer',
      ...(ip !== undefined && { status: { loadBalancer: { ingress: [{ ip }] } } }),
    }),
  );
const given = (...services: Service[]) => Object.fromEntries(balancerAddresses(services, RANGE));

describe('balancerAddresses', () => {
  test('follow from who one is, not from the order', () => {
    const web = balancer('web', 0);
    const others = [balancer('x', 1), balancer('y', 2)];
    expect(given(web)).toEqual({ 'Service-web': BALANCED });
    expect(given(web, ...others)).toEqual(given(...others.reverse(), web));
  });

  test('stay as announced, whoever else would have them; the older of two keeps it', () => {
    const web = balancer('web', 0);
    const settled = balancer('settled', 5, BALANCED);
    expect(given(web, settled)).toEqual({
      'Service-web': '10.44.0.87',
      'Service-settled': BALANCED,
    });
    const copy = given(balancer('copy', 6, BALANCED), settled);
    expect(copy['Service-settled']).toBe(BALANCED);
    expect(copy['Service-copy']).not.toBe(BALANCED);
  });

  test('are for load balancers of ours, and not what others announced', () => {
    const classy = serviceOf(service({ type: 'LoadBalancer', loadBalancerClass: 'a/b' }));
    expect(given(classy, serviceOf(service()))).toEqual({});
    expect(given(balancer('web', 0, '10.42.0.1'))).toEqual({ 'Service-web': BALANCED });
  });

  test('are as many as the range has, and then none', () => {
    const many = Array.from({ length: 256 }, (_, index) => balancer(`s${index}`, 0));
    const addresses = Object.values(given(...many));
    expect(new Set(addresses).size).toBe(254);
    expect(addresses.every((address) => /^10\.44\.0\.([1-9]\d*)$/.test(address))).toBe(true);
    expect(addresses).not.toContain('10.44.0.255');
  });
});
