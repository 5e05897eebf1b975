import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { parseInputs } from '../../../src/inputs/inputs.ts';

const DEFAULTS: Readonly<Record<string, string>> = {
  version: 'v1.34.1+k3s1',
  mode: 'auto',
  sysctls: 'auto',
  timeout: '5m',
};
const SUM = 'a'.repeat(64);

const parse = (given: Record<string, string> = {}) =>
  parseInputs((name) => given[name] ?? DEFAULTS[name] ?? '');

describe('parseInputs', () => {
  it('takes the defaults of action.yml', () => {
    expect(parse()).toEqual({
      source: { kind: 'release', version: { kind: 'tag', tag: 'v1.34.1+k3s1' } },
      checksum: undefined,
      releases: 'https://github.com/k3s-io/k3s/releases/download',
      channelServer: 'https://update.k3s.io/v1-release/channels',
      mode: 'auto',
      workarounds: new Map(),
      sysctls: 'auto',
      components: ['coredns', 'local-storage', 'metrics'],
      k3sArgs: { flags: [], networks: {}, nodeName: undefined, disable: [], secrets: [] },
      agents: 0,
      nodeLabels: new Map(),
      images: [],
      airgap: false,
      warmStart: false,
      keepRunning: false,
      pull: [],
      registries: undefined,
      denyOutside: [],
      timeoutMs: 300_000,
      kubeconfig: undefined,
    });
  });

  it('reads lists line by line and leaves out blank lines', () => {
    const { images } = parse({ images: '\na.tar\n\n  b/*.tar  \n' });
    expect(images).toEqual(['a.tar', 'b/*.tar']);
  });

  it('reads which networks pods do not reach', () => {
    expect(parse({ 'deny-outside': '169.254.0.0/16\n0.0.0.0/0' }).denyOutside).toEqual([
      '169.254.0.0/16',
      '0.0.0.0/0',
    ]);
  });

  it('reads where releases come from, and what else is wanted', () => {
    expect(
      parse({
        version: 'stable',
        'release-mirror': 'https://mirror.example/k3s/',
        'channel-server': 'http://mirror.example/channels',
        airgap: 'true',
        pull: 'nginx\nregistry.example:5000/a/b@sha256:0123\n',
        registries: 'mirrors: {docker.io: {endpoint: [https://mirror.example]}}',
      }),
    ).toMatchObject({
      source: { kind: 'release', version: { kind: 'channel', name: 'stable' } },
      releases: 'https://mirror.example/k3s',
      channelServer: 'http://mirror.example/channels',
      airgap: true,
      pull: ['nginx', 'registry.example:5000/a/b@sha256:0123'],
      registries: { secrets: [] },
    });
  });

  it('prefers a path or an address to the version', () => {
    expect(parse({ 'k3s-path': './k3s' }).source).toEqual({ kind: 'path', path: './k3s' });
    expect(parse({ 'k3s-url': 'http://mirror/k3s', checksum: SUM.toUpperCase() })).toMatchObject({
      source: { kind: 'url', url: 'http://mirror/k3s' },
      checksum: SUM,
    });
  });

  it('makes the path of the kubeconfig absolute', () => {
    expect(parse({ kubeconfig: 'kc.yaml' }).kubeconfig).toBe(join(process.cwd(), 'kc.yaml'));
    expect(parse({ kubeconfig: '/tmp/../kc' }).kubeconfig).toBe('/kc');
    expect(parse({ kubeconfig: '~/.kube/ci' }).kubeconfig).toBe(join(homedir(), '.kube/ci'));
  });

  it.each([
    ['~', 'the home of another user'],
    ['~other/config', 'the home of another user'],
    ['/home/runner/.kube/', 'names a directory'],
  ])('refuses kubeconfig %j', (kubeconfig, problem) => {
    expect(() => parse({ kubeconfig })).toThrow(problem);
  });

  it.each([
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1m30s', 90_000],
    ['1h0m5s', 3_605_000],
  ])('reads the timeout %s', (timeout, ms) => {
    expect(parse({ timeout }).timeoutMs).toBe(ms);
  });

  it.each([
    [{ version: 'newest' }, 'version: "newest" is not a k3s version'],
    [{ version: '' }, 'version: "" is not a k3s version'],
    [{ 'release-mirror': 'mirror/k3s' }, 'release-mirror: "mirror/k3s" is not an http'],
    [{ 'channel-server': 'file:///channels' }, 'channel-server: "file:///channels" is not'],
    [{ airgap: 'yes' }, 'airgap: "yes" is neither true nor false'],
    [{ pull: 'https://docker.io/nginx' }, 'pull: "https://docker.io/nginx" is not an image'],
    [{ pull: 'nginx\nbusybox curl' }, 'pull: "busybox curl" is not an image reference'],
    [{ registries: 'mirrors: [' }, 'registries: line 1 is not YAML'],
    [{ mode: 'half' }, 'mode: "half" is not known; choose auto, full, node, control-plane'],
    [{ sysctls: 'yes' }, 'sysctls: "yes" is not known; choose auto, bind, ptrace'],
    ...['169.254.169.254', 'fd00:ec2::/32', '0.0.0.0/33'].map((network) => [
      { 'deny-outside': network },
      `deny-outside: "${network}" is not an IPv4 network; write one such as 169.254.0.0/16 per line`,
    ]),
    [{ 'deny-outside': '10.0.0.0/8\n'.repeat(65) }, 'deny-outside: 65 networks are more than 64'],
    [
      { timeout: '300' },
      'timeout: "300" is not a duration; write a number with s, m or h, such as 300s',
    ],
    [{ timeout: '' }, 'timeout: "" is not a duration'],
    [{ timeout: '30s1m' }, 'timeout: "30s1m" is not a duration'],
    [{ timeout: '0s' }, 'timeout: "0s" is not a duration'],
    [{ checksum: 'abc' }, 'checksum: "abc" is not a SHA-256'],
    [{ 'k3s-url': 'http://mirror/k3s' }, 'k3s-url: needs checksum'],
    [
      { 'k3s-url': 'ftp://mirror/k3s', checksum: SUM },
      'k3s-url: "ftp://mirror/k3s" is not an http',
    ],
    [{ 'k3s-path': 'a', 'k3s-url': 'http://b' }, 'k3s-path and k3s-url: both are given'],
    [{ 'k3s-args': 'server' }, 'k3s-args: line 1: "server" does not begin with --'],
  ] as [Record<string, string>, string][])('refuses %j', (given, message) => {
    expect(() => parse(given)).toThrow(InputError);
    expect(() => parse(given)).toThrow(message);
  });

  it('reports every bad input at once', () => {
    expect(() => parse({ version: 'newest', mode: 'y', timeout: 'z' })).toThrow(
      /version: .*\nmode: .*\ntimeout: /,
    );
  });
});
