import { describe, expect, it } from 'vitest';
import { parseInputs } from '../../../src/inputs/inputs.ts';
import { decidedBy, misfits, type Running } from '../../../src/run/fit.ts';

const SHA256 = 'ab'.repeat(32);
const DEFAULTS: Readonly<Record<string, string>> = {
  version: 'v1.36.3+k3s1',
  mode: 'auto',
  sysctls: 'auto',
  timeout: '5m',
};
const inputs = (given: Readonly<Record<string, string>>) =>
  parseInputs((name) => given[name] ?? DEFAULTS[name] ?? '');
const decided = (given: Readonly<Record<string, string>>) => decidedBy(inputs(given), []);

const RUNNING: Running = { mode: 'full', k3s: { version: 'v1.36.3+k3s1', sha256: SHA256 } };

describe('misfits', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['the same', {}, {}],
    ['what ran into mode full by itself, for who wants full', {}, { mode: 'full' }],
    ['a binary of the version that is wanted', { 'k3s-path': '/k3s' }, {}],
    ['a version of the channel that is wanted', {}, { version: 'v1.36' }],
    ['the binary of the checksum', { 'k3s-path': '/k3s' }, { checksum: SHA256 }],
    ['the same binary', { 'k3s-path': '/k3s' }, { 'k3s-path': '/k3s' }],
    ['more time', {}, { timeout: '9m', 'warm-start': 'true' }],
    [
      'the same components in another order',
      { components: 'metrics coredns' },
      { components: 'coredns metrics' },
    ],
    ["more of the release's images than asked for", { airgap: 'true' }, {}],
    ['the interceptor, for who leaves the choice', { sysctls: 'ptrace' }, {}],
    ['other images, which can be loaded', { pull: 'a:1' }, { pull: 'b:1' }],
  ])('takes %s', (_, started, wanted) => {
    expect(misfits(RUNNING, decided(started), decided(wanted))).toEqual([]);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['version', {}, { version: 'v1.35.4+k3s1' }],
    ['version', {}, { version: 'v1.35' }],
    ['version', {}, { checksum: 'cd'.repeat(32) }],
    ['version', {}, { 'k3s-path': '/k3s' }],
    ['mode', {}, { mode: 'node' }],
    ['components', {}, { components: 'none' }],
    ['components', { components: 'none' }, {}],
    ['k3s-args', {}, { 'k3s-args': '--node-label=a=b' }],
    ['k3s-args', {}, { 'k3s-args': '--cluster-cidr=10.9.0.0/16' }],
    ['sysctls', {}, { sysctls: 'ptrace' }],
    ['workarounds', { workarounds: '-mqueue' }, {}],
    ['registries', { registries: 'mirrors: {}' }, {}],
    ['deny-outside', {}, { 'deny-outside': '0.0.0.0/0' }],
    ['deny-outside', { 'deny-outside': '0.0.0.0/0' }, {}],
    ['airgap', {}, { airgap: 'true' }],
    ['id-map-helper', {}, { 'id-map-helper': '/x' }],
  ])('names %s', (name, started, wanted) => {
    expect(misfits(RUNNING, decided(started), decided(wanted))).toEqual([
      expect.stringMatching(`^${name}: `),
    ]);
  });

  it('tells nothing of what an input holds', () => {
    const secret = 'configs: {a.test: {auth: {username: u, password: the-secret}}}';
    expect(misfits(RUNNING, decided({}), decided({ registries: secret })).join()).not.toContain(
      'the-secret',
    );
  });

  it("names the runner's manifests", () => {
    const manifests = [{ path: 'a.yaml', content: 'kind: Namespace' }];
    expect(misfits(RUNNING, decided({}), decidedBy(inputs({}), manifests))).toEqual([
      "the runner's manifests: not what the cluster was started with",
    ]);
  });
});
