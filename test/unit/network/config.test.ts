import { describe, expect, test } from 'vitest';

import { parseConfig } from '../../../src/network/config.ts';

const GOOD = {
  '--kubeconfig': '/etc/rancher/k3s/k3s.yaml',
  '--control': '/run/gateway.sock',
  '--node-ip': '10.42.0.1',
  '--metrics-port': '9777',
  '--load-balancers': '10.44.0.0/24',
};

function argv(changes: Record<string, string> = {}): string[] {
  return Object.entries({ ...GOOD, ...changes }).flat();
}

describe('parseConfig', () => {
  test('reads every argument; the node is called after the host, in lower case', () => {
    expect(parseConfig(argv(), 'Runner-1')).toEqual({
      kubeconfig: '/etc/rancher/k3s/k3s.yaml',
      control: '/run/gateway.sock',
      nodeIp: '10.42.0.1',
      nodeName: 'runner-1',
      agents: [],
      balancers: '10.44.0.0/24',
      metricsPort: 9777,
      ephemeralStorage: undefined,
      objects: undefined,
      metricsApiPort: undefined,
    });
    expect(parseConfig(argv({ '--metrics-api-port': '7' }), 'h').metricsApiPort).toBe(7);
    expect(parseConfig(argv({ '--ephemeral-storage': '/s' }), 'h').ephemeralStorage).toBe('/s');
    expect(parseConfig(argv({ '--node-name': 'n' }), 'Runner-1').nodeName).toBe('n');
    const agents = ['--agent', 'n-agent-1=10.42.1.1', '--agent', 'n-agent-2=10.42.2.1'];
    expect(parseConfig([...argv(), ...agents], 'h').agents).toEqual([
      { name: 'n-agent-1', ip: '10.42.1.1' },
      { name: 'n-agent-2', ip: '10.42.2.1' },
    ]);
  });

  test.each([
    ['--kubeconfig', 'k3s.yaml', '--kubeconfig must be an absolute path, not k3s.yaml'],
    ['--control', '', '--control must be an absolute path, not '],
    ['--objects', 'o', '--objects must be an absolute path, not o'],
    ['--ephemeral-storage', 's', '--ephemeral-storage must be an absolute path, not s'],
    ['--agent', '10.42.1.1', '--agent must be NAME=IPV4, not 10.42.1.1'],
    ['--node-ip', 'fd00::1', '--node-ip must be an IPv4 address, not fd00::1'],
    ['--load-balancers', '10.44.0.0/16', '--load-balancers must be an IPv4 /24, not 10.44.0.0/16'],
    ['--metrics-port', '0', '--metrics-port must be a port from 1 to 65535, not 0'],
    ['--metrics-port', '65536', '--metrics-port must be a port from 1 to 65535, not 65536'],
    ['--metrics-port', '1e3', '--metrics-port must be a port from 1 to 65535, not 1e3'],
  ])('%s %s', (name, value, message) => {
    expect(() => parseConfig(argv({ [name]: value }), 'h')).toThrow(message);
  });

  test('names all that is wrong at once', () => {
    expect(() => parseConfig(['--node-ip', 'x'], 'h')).toThrow(
      /--kubeconfig .* missing; --control .* missing; --node-ip .* x; --load-balancers .* missing; --metrics-port .* missing/,
    );
  });

  test('refuses what it does not know', () => {
    expect(() => parseConfig(argv({ '--bogus': '1' }), 'h')).toThrow(/--bogus/);
  });
});
