import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { argumentOf, isSecret, parseK3sArgs } from '../../../src/inputs/k3s-args.ts';

const argv = (text: string): string[] => parseK3sArgs(text).flags.map(argumentOf);

describe('parseK3sArgs', () => {
  it.each([
    ['nothing', '', []],
    ['a flag a line', '--debug\n\n  --node-label=a=b  \n', ['--debug', '--node-label=a=b']],
    ['a value as a word of its own', '--tls-san example.test', ['--tls-san=example.test']],
    [
      'several on a line, as folded YAML gives them',
      '--tls-san=a.test --tls-san b.test --debug',
      ['--tls-san=a.test', '--tls-san=b.test', '--debug'],
    ],
    ['one dash', '-v=2 -tls-san x', ['--v=2', '--tls-san=x']],
    ['a quoted flag', '"--node-label=a=b"', ['--node-label=a=b']],
    [
      'a quoted value with blanks',
      `--kube-apiserver-arg='a=b c' --node-label="x=#y"`,
      ['--kube-apiserver-arg=a=b c', '--node-label=x=#y'],
    ],
    ['an empty value', '--resolv-conf=""', ['--resolv-conf=']],
    ['comments', '# why\n--debug # because\n  # --tls-san=off\n--v=2', ['--debug', '--v=2']],
    ['a number sign within a word', '--node-label=a=b#c', ['--node-label=a=b#c']],
  ])('takes %s', (_, text, expected) => {
    expect(argv(text)).toEqual(expected);
  });

  it.each([
    ['a word that belongs to nothing', 'traefik', /^k3s-args: line 1: "traefik" does not begin/],
    [
      'a second value, and says where',
      '--debug\n--kube-apiserver-arg=a=b c',
      /^k3s-args: line 2: "c" belongs to no flag after --kube-apiserver-arg; quote a value/,
    ],
    ['a value on the next line', '--disable\ntraefik', /line 1: --disable has no value.*/],
    ['dashes alone', '--debug --', /line 1: "--" is not a flag/],
    ['an open quote', '--node-label="a=b', /line 1: a quotation mark \("\) is not closed/],
    [
      'flags lost behind a comment that was folded in',
      '--debug # the log --tls-san=x',
      /line 1: flags follow the comment's "#".*folded/,
    ],
    ['flags lost behind a first comment', '# san --tls-san=x', /line 1: flags follow/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseK3sArgs(text)).toThrow(InputError);
    expect(() => parseK3sArgs(text)).toThrow(message);
  });

  it('names every bad line at once', () => {
    expect(() => parseK3sArgs('server\n--data-dir /x\n--a=b c')).toThrow(
      /line 1: "server".*\n.*line 3: "c".*\n.*line 2: --data-dir/,
    );
  });

  it.each([
    ['-d /tmp/k', /--data-dir is not k3s's to decide here/],
    ['--write-kubeconfig=/tmp/kc', /the input kubeconfig says where/],
    ['--https-listen-port=6550', /output api-server/],
    ['--disable-agent', /the input mode has control-plane/],
    ['--disable-helm-controller=false', /the input components says/],
    ['--kubelet-arg=root-dir=/x', /--kubelet-arg=root-dir is not the kubelet's to decide/],
    ['--kubelet-arg=--node-ip=1.2.3.4', /the first of --cluster-cidr/],
    ['--cluster-cidr=10.52.0.1/16', /is not one IPv4 network of \/8 to \/24/],
    ['--cluster-cidr=10.52.0.0/16,fd00::/56', /is not one IPv4 network/],
    ['--service-cidr=10.53.0.0/8', /is not one IPv4 network of \/12/],
    ['--cluster-dns=fd00::1', /is not one IPv4 address/],
    ['--node-name=A_b', /is not a DNS name/],
  ])('refuses %s, with the way to get the same', (text, message) => {
    expect(() => parseK3sArgs(text)).toThrow(message);
  });

  it('hands what the plan must know of to the plan', () => {
    expect(
      parseK3sArgs(
        '--cluster-cidr=10.52.0.0/16 --service-cidr=10.53.0.0/16 --cluster-dns=10.53.0.9 --node-name=n1 --disable=coredns,traefik --disable local-storage --debug',
      ),
    ).toMatchObject({
      networks: { pods: '10.52.0.0/16', services: '10.53.0.0/16', dns: '10.53.0.9' },
      nodeName: 'n1',
      disable: ['coredns', 'traefik', 'local-storage'],
      flags: [{ name: 'debug' }],
    });
  });

  it('knows what is secret, and never says it', () => {
    const { flags, secrets } = parseK3sArgs('-t hunter2 --agent-token=x --debug');
    expect(secrets).toEqual(['hunter2', 'x']);
    expect(flags.map(isSecret)).toEqual([true, true, false]);
    expect(() => parseK3sArgs('--token=hunter2 more')).toThrow(
      /what follows its value belongs to no flag after --token/,
    );
  });
});
