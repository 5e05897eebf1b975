import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { parseInputs } from '../../src/inputs.ts';

const DEFAULTS: Readonly<Record<string, string>> = {
  version: 'v1.34.1+k3s1',
  mode: 'auto',
  timeout: '5m',
};
const SUM = 'a'.repeat(64);

const parse = (given: Record<string, string> = {}) =>
  parseInputs((name) => given[name] ?? DEFAULTS[name] ?? '');

describe('parseInputs', () => {
  it('takes the defaults of action.yml', () => {
    expect(parse()).toEqual({
      source: { kind: 'release', tag: 'v1.34.1+k3s1' },
      checksum: undefined,
      mode: 'auto',
      k3sArgs: [],
      images: [],
      timeoutMs: 300_000,
      kubeconfig: undefined,
    });
  });

  it('reads lists line by line and leaves out blank lines', () => {
    const { k3sArgs, images } = parse({
      'k3s-args': '--debug\n\n  --node-label=a=b  \n',
      images: 'a.tar\nb/*.tar',
    });
    expect(k3sArgs).toEqual(['--debug', '--node-label=a=b']);
    expect(images).toEqual(['a.tar', 'b/*.tar']);
  });

  it('prefers a path or an address to the version', () => {
    expect(parse({ 'k3s-path': './k3s' }).source).toEqual({ kind: 'path', path: './k3s' });
    expect(parse({ 'k3s-url': 'http://mirror/k3s', checksum: SUM.toUpperCase() })).toMatchObject({
      source: { kind: 'url', url: 'http://mirror/k3s' },
      checksum: SUM,
    });
  });

  it.each([
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ])('reads the timeout %s', (timeout, ms) => {
    expect(parse({ timeout }).timeoutMs).toBe(ms);
  });

  it.each([
    [{ version: 'latest' }, 'version: "latest" is not a k3s tag'],
    [{ version: '1.34.1+k3s1' }, 'version: "1.34.1+k3s1" is not a k3s tag'],
    [{ mode: 'half' }, 'mode: "half" is not known; choose auto, full, node, control-plane'],
    [{ timeout: '5' }, 'timeout: "5" is not a duration'],
    [{ timeout: '0s' }, 'timeout: "0s" is not a duration'],
    [{ checksum: 'abc' }, 'checksum: "abc" is not a SHA-256'],
    [{ 'k3s-url': 'http://mirror/k3s' }, 'k3s-url: needs checksum'],
    [
      { 'k3s-url': 'ftp://mirror/k3s', checksum: SUM },
      'k3s-url: "ftp://mirror/k3s" is not an http',
    ],
    [{ 'k3s-path': 'a', 'k3s-url': 'http://b' }, 'k3s-path and k3s-url: both are given'],
    [{ 'k3s-args': 'server' }, 'k3s-args: "server" does not begin with --'],
  ] as [Record<string, string>, string][])('refuses %j', (given, message) => {
    expect(() => parse(given)).toThrow(InputError);
    expect(() => parse(given)).toThrow(message);
  });

  it('reports every bad input at once', () => {
    expect(() => parse({ version: 'x', mode: 'y', timeout: 'z' })).toThrow(
      /version: .*\nmode: .*\ntimeout: /,
    );
  });
});
