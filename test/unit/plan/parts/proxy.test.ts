import { expect, it } from 'vitest';
import { parseInputs } from '../../../../src/inputs/inputs.ts';
import { layoutOf } from '../../../../src/layout.ts';
import type { Proxy } from '../../../../src/sandbox/facts.ts';
import { makePlan, type Plan } from '../../../../src/plan/plan.ts';
import { stockFacts } from '../facts.ts';

const INPUTS: Readonly<Record<string, string>> = {
  version: 'v1.34.1+k3s1',
  mode: 'auto',
  sysctls: 'auto',
  timeout: '5m',
};

const planWith = (proxy: Proxy): Plan =>
  makePlan({
    facts: { ...stockFacts(), proxy },
    inputs: parseInputs((name) => INPUTS[name] ?? ''),
    layout: layoutOf('/state', '/dist', 'x64', '/node'),
    k3s: {
      binary: '/cache/k3s',
      dataDir: '/cache/unpacked',
      containerdDropIns: true,
      coredns: null,
    },
    images: [],
  });

const environment = (plan: Plan): Record<string, string> =>
  Object.fromEntries(
    plan.launch.steps
      .flatMap(({ operations }) => operations)
      .flatMap((operation) =>
        operation[0] === 'environment' ? [[operation[1], operation[2]] as const] : [],
      ),
  );
const reason = (plan: Plan): string | undefined =>
  plan.decisions.find(({ id }) => id === 'proxy')?.reason;

it('is off where the runner has no proxy', () => {
  const plan = planWith({ http: '', https: '', no: 'example.org', address: '' });
  expect(reason(plan)).toBeUndefined();
  expect(environment(plan)).not.toHaveProperty('NO_PROXY');
});

it("gives k3s the runner's proxies, and keeps the cluster's own traffic from them", () => {
  const plan = planWith({
    http: '',
    https: 'http://proxy.example:3128',
    no: 'internal,,10.9.0.0/16',
    address: '10.9.0.7',
  });
  expect(plan.warnings).toEqual([]);
  const { podCidr, serviceCidr, node } = plan.addresses;
  const { HTTPS_PROXY, HTTP_PROXY, NO_PROXY = '' } = environment(plan);
  expect(HTTPS_PROXY).toBe('http://proxy.example:3128');
  expect(HTTP_PROXY).toBeUndefined();
  expect(NO_PROXY.split(',')).toEqual([
    'internal',
    '10.9.0.0/16',
    'localhost',
    '127.0.0.0/8',
    node,
    podCidr,
    serviceCidr,
    '.svc',
    '.cluster.local',
  ]);
});

it.each(['http://127.0.0.1:3128', 'localhost:3128', 'http://me:pw@localhost:1', 'http://[::1]:1'])(
  'says that the node cannot reach %s',
  (https) => {
    expect(planWith({ http: '', https, no: '', address: '127.0.0.1' }).warnings).toEqual([
      expect.stringMatching(/^Images cannot be pulled: .* runner's own loopback/),
    ]);
  },
);

it('leads pods by it, and keeps its password off the command line and out of what is printed', () => {
  const plan = planWith({
    http: '',
    https: 'http://me:pa55word@proxy.example:3128',
    no: '10.9.0.0/16,internal',
    address: '10.9.0.7',
  });
  const gateway = plan.launch.steps.filter(({ id }) => id === 'gateway');
  const operations = gateway.flatMap((step) => step.operations);
  const argv = operations.flatMap((one) => (one[0] === 'argument' ? [one[2]] : []));
  expect(argv.join(' ')).toContain('--proxy 10.9.0.7:3128 --no-proxy 10.9.0.0/16');
  const secret = Buffer.from('me:pa55word').toString('base64');
  expect(argv.join(' ')).not.toContain(secret);
  const holders = gateway.filter((step) => JSON.stringify(step).includes(secret));
  expect(holders).toMatchObject([
    {
      isSecret: true,
      operations: [['process-environment', 'gateway', 'PROXY_AUTHORIZATION', `Basic ${secret}`]],
    },
  ]);
  // Before the process is started, and after it is declared.
  expect(operations.map(([name]) => name).filter((name) => name !== 'argument')).toEqual([
    ...['process', 'process-environment', 'uplink', 'start', 'await'],
  ]);
});

it('says where pods cannot be led by it', () => {
  const proxy = { http: '', https: 'https://proxy.example', no: '', address: '10.9.0.7' };
  expect(planWith(proxy).warnings).toEqual([
    expect.stringMatching(/^Pods do not reach the outside by HTTPS_PROXY: .* http:/),
  ]);
});
