import { expect, it } from 'vitest';
import { disabledOf, parseComponents, without } from '../../../src/inputs/components.ts';

it.each([
  ['', ['coredns', 'local-storage', 'metrics'], ['traefik', 'metrics-server']],
  ['none', [], ['coredns', 'local-storage', 'traefik', 'metrics-server']],
  ['coredns', ['coredns'], ['local-storage', 'traefik', 'metrics-server']],
  [
    'traefik\ncoredns',
    ['coredns', 'traefik', 'helm-controller'],
    ['local-storage', 'metrics-server'],
  ],
])('reads %j', (text, components, disabled) => {
  expect(parseComponents(text)).toEqual(components);
  expect(disabledOf(parseComponents(text))).toEqual(disabled);
});

it.each([
  ['coreDNS', /^components: "coreDNS" is not known; choose of coredns, /],
  ['coredns, none', /"none" is not known/],
  ['metrics-server', /metrics serves the same API, with no image to pull/],
])('refuses %j', (text, message) => {
  expect(() => parseComponents(text)).toThrow(message);
});

it('takes away what k3s-args disables', () => {
  expect(without(parseComponents(''), ['coredns', 'metrics-server', 'ccm'])).toEqual([
    'local-storage',
  ]);
});
