import { expect, it } from 'vitest';
import { parseInputs } from '../../../src/inputs/inputs.ts';
import { layoutOf } from '../../../src/layout.ts';
import { redactor } from '../../../src/redact.ts';
import { docsLink } from '../../../src/report/docs.ts';
import { Reporter } from '../../../src/report/reporter.ts';
import { makePlan, type Plan } from '../../../src/plan/plan.ts';
import { stockFacts } from './facts.ts';

const REGISTRIES = 'configs: {registry.example: {auth: {username: me, password: s3cret}}}\n';

function planFor(registries: string): Plan {
  const inputs: Readonly<Record<string, string>> = {
    version: 'v1.34.1+k3s1',
    mode: 'auto',
    sysctls: 'auto',
    timeout: '5m',
    registries,
  };
  return makePlan({
    facts: {
      ...stockFacts(),
      proxy: { http: 'http://me:pr0xy@proxy:1', https: '', no: '', address: '10.9.0.7' },
    },
    inputs: parseInputs((name) => inputs[name] ?? ''),
    layout: layoutOf('/state', '/dist', 'x64', '/node'),
    k3s: {
      binary: '/cache/k3s',
      dataDir: '/cache/unpacked',
      containerdDropIns: true,
      coredns: null,
    },
    images: [],
  });
}

it('writes registries.yaml for root only, and tells k3s where it is', () => {
  const plan = planFor(REGISTRIES);
  const step = plan.launch.steps.find(({ id }) => id === 'registries');
  expect(step?.operations.at(-1)).toEqual([
    'write',
    '/etc/rancher/k3s/registries.yaml',
    '0600',
    REGISTRIES,
  ]);
  expect(plan.k3sConfig['private-registry']).toBe('/etc/rancher/k3s/registries.yaml');
});

it('writes nothing where no registries are given', () => {
  const plan = planFor('');
  expect(plan.launch.steps.map(({ id }) => id)).not.toContain('registries');
  expect(plan.k3sConfig).not.toHaveProperty('private-registry');
});

it('never prints a credential, the proxy’s neither', () => {
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
  };
  const log = {
    info: say,
    notice: say,
    warning: say,
    group: (_: string, body: () => void) => {
      body();
    },
    quote: () => undefined,
  };
  new Reporter(log, redactor([]), docsLink({})).plan(planFor(REGISTRIES));
  expect(lines).toContain('registries: write /etc/rancher/k3s/registries.yaml (secret)');
  expect(lines).toContain('environment: environment HTTP_PROXY http://***@proxy:1');
  expect(lines.join('\n')).not.toMatch(/s3cret|pr0xy/);
});
