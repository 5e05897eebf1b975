import { expect, it } from 'vitest';
import { argumentOf } from '../../../src/inputs/k3s-args.ts';
import { parseInputs } from '../../../src/inputs/inputs.ts';
import { flagsOfConfig, withRunnerConfig } from '../../../src/inputs/runner-config.ts';

const at = (path: string, text: string) => ({ path, text });

it('merges files as k3s does', () => {
  const flags = flagsOfConfig([
    at('config.yaml', 'node-label: [a=b]\ndebug: true\ntls-san: x.test\n'),
    at('a.yaml', 'node-label+: [c=d]\n'),
    at('b.yaml', 'tls-san: [y.test, z.test]\n'),
    at('empty.yaml', ''),
  ]);
  expect(flags.map(argumentOf)).toEqual([
    '--node-label=a=b',
    '--node-label=c=d',
    '--debug=true',
    '--tls-san=y.test',
    '--tls-san=z.test',
  ]);
  expect(flags.at(-1)?.where).toBe('b.yaml');
});

it.each([
  ['a: [', /^k\.yaml: is not YAML/],
  ['- a', /^k\.yaml: is not a mapping of k3s's flags/],
])('refuses %j', (text, message) => {
  expect(() => flagsOfConfig([at('k.yaml', text)])).toThrow(message);
});

const DEFAULTS: Readonly<Record<string, string>> = {
  version: 'stable',
  mode: 'auto',
  sysctls: 'auto',
  timeout: '5m',
};
const inputs = (k3sArgs: string) =>
  parseInputs((name) => (name === 'k3s-args' ? k3sArgs : (DEFAULTS[name] ?? '')));

it('puts the inputs after the files', () => {
  const flags = flagsOfConfig([
    at(
      'config.yaml',
      'cluster-cidr: 10.52.0.0/16\nservice-cidr: 10.53.0.0/16\ndisable: [coredns]\nnode-label: a=b\n',
    ),
  ]);
  const merged = withRunnerConfig(inputs('--service-cidr=10.63.0.0/16 --debug'), {
    flags,
    manifests: [],
    registries: undefined,
  });
  expect(merged.components).toEqual(['local-storage', 'metrics']);
  expect(merged.k3sArgs.networks).toEqual({
    pods: '10.52.0.0/16',
    services: '10.63.0.0/16',
    dns: undefined,
  });
  expect(merged.k3sArgs.flags.map(argumentOf)).toEqual(['--node-label=a=b', '--debug']);
});

it('refuses in files what it refuses in inputs, by the name of the file', () => {
  const flags = flagsOfConfig([at('/etc/x.yaml', 'data-dir: /tmp/k\n')]);
  expect(() =>
    withRunnerConfig(inputs(''), { flags, manifests: [], registries: undefined }),
  ).toThrow(/^\/etc\/x\.yaml: --data-dir is not k3s's/);
});
