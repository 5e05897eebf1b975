import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { parseInputs } from '../../../src/inputs/inputs.ts';
import { layoutOf } from '../../../src/layout.ts';
import type { Launch, Operation } from '../../../src/namespaces/operations.ts';
import { makePlan, type Plan } from '../../../src/plan/plan.ts';
import { publicPlan } from '../../../src/plan/public.ts';
import { stockFacts } from './facts.ts';

const TOKEN = 'not-to-be-seen';
const LAYOUT = layoutOf('/state', '/dist', 'x64', '/node');
const DEFAULTS: Readonly<Record<string, string>> = {
  version: 'v1.36.3+k3s1',
  mode: 'auto',
  sysctls: 'auto',
  timeout: '5m',
};

const planFor = (given: Readonly<Record<string, string>>): Plan =>
  makePlan({
    facts: { ...stockFacts(), hostname: 'host' },
    inputs: parseInputs((name) => given[name] ?? DEFAULTS[name] ?? ''),
    layout: LAYOUT,
    k3s: {
      binary: '/cache/k3s',
      dataDir: '/cache/unpacked',
      containerdDropIns: true,
      coredns: 'kind: ConfigMap',
    },
    images: ['/images/a.tar'],
    agentToken: TOKEN,
  });

const launchOf = ({ agents }: Plan, index: number): Launch => {
  const agent = agents[index];
  if (agent === undefined) throw new Error(`Failed to find agent ${index} of ${agents.length}`);
  return agent.launch;
};
const operations = ({ steps }: Launch): Operation[] => steps.flatMap((step) => step.operations);
const written = (launch: Launch, suffix: string): string =>
  operations(launch).find(([name, path]) => name === 'write' && path.endsWith(suffix))?.[3] ?? '';

describe('agents', () => {
  const plan = planFor({ agents: '2' });
  const first = launchOf(plan, 0);
  const second = launchOf(plan, 1);

  it('are nodes of their own names, in namespaces of their own but for the ids', () => {
    expect(plan.agents.map(({ name }) => name)).toEqual(['host-agent-1', 'host-agent-2']);
    expect(first.namespaces).toEqual(['mount', 'pid', 'network', 'uts', 'ipc']);
    expect(first.idMaps).toEqual([]);
  });

  it('join the server on the bridge, each from its own part of the pods’ network', () => {
    const config = parse(written(second, 'agent-2/config.yaml')) as object;
    expect(config).toMatchObject({
      server: 'https://10.42.0.1:6443',
      token: TOKEN,
      'node-name': 'host-agent-2',
      'node-ip': '10.42.2.1',
      'kubelet-arg': [`cgroup-root=/${LAYOUT.podCgroups}/agent-2`],
    });
    const { plugins } = JSON.parse(written(second, '10-gvisor-bridge.conflist')) as {
      plugins: object[];
    };
    expect(plugins[0]).toMatchObject({
      subnet: '10.42.2.0/24',
      network: '10.42.0.0/16',
      bridgeNetns: '/run/k3s-in-gvisor/wire',
    });
    expect(operations(plan.launch)).toContainEqual(['port', 'cni0', 'node0', '10.42.0.1/16']);
  });

  it('are started beside k3s, and with a token of their own', () => {
    const all = operations(plan.launch).map((operation) => operation.join(' '));
    expect(all.indexOf('start k3s')).toBeLessThan(all.indexOf('start host-agent-1'));
    expect(all.indexOf('start host-agent-2')).toBeLessThan(all.indexOf('ready'));
    expect(parse(written(plan.launch, '50-agents.yaml'))).toEqual({ 'agent-token': TOKEN });
  });

  it('are known to the gateway and the controller, by address, namespace and name', () => {
    const all = operations(plan.launch).map((operation) => operation.join(' '));
    expect(all).toContain('argument gateway 10.42.2.1=/run/netns/agent-2');
    expect(all).toContain('argument controller host-agent-2=10.42.2.1');
    expect(all).toContain('write /run/netns/agent-2 0600 ');
    expect(operations(second)).toContainEqual([
      'bind',
      '/proc/self/ns/net',
      '/run/netns/agent-2',
      '-',
    ]);
  });

  it('have labels of their own, as the server has', () => {
    const labels = 'server: zone=a\nagent-2: zone=b tier=web\nagent-2: x.example/y=';
    const labelled = planFor({ agents: '2', 'node-labels': labels });
    expect(labelled.k3sConfig['node-label']).toEqual(['zone=a']);
    expect(parse(written(launchOf(labelled, 1), 'agent-2/config.yaml'))).toMatchObject({
      'node-label': ['zone=b', 'tier=web', 'x.example/y='],
    });
    expect(first.steps.flatMap(({ operations: all }) => all).join()).not.toContain('node-label');
  });

  it.each([
    ['zone=a', 'node-labels: "zone=a" does not say whose'],
    ['agent-3: zone=a', 'node-labels: there is no agent-3 with agents: 2'],
    ['server: zone', 'node-labels: "zone" of server is not a label; write name=value'],
    ['server: a=b=c', 'node-labels: "a=b=c" of server is not a label'],
  ])('have no labels %j', (labels, problem) => {
    expect(() => planFor({ agents: '2', 'node-labels': labels })).toThrow(problem);
  });

  it('load the same images', () => {
    expect(operations(first)).toContainEqual([
      'bind',
      '/images/a.tar',
      '/var/lib/rancher/agent-1/agent/images/0-a.tar',
      'read-only',
    ]);
  });

  it('have no token in what is printed', () => {
    expect(JSON.stringify(plan)).toContain(TOKEN);
    expect(JSON.stringify(publicPlan(plan))).not.toContain(TOKEN);
  });

  it('are none by default, and nothing of theirs is there', () => {
    const alone = planFor({});
    expect(alone.agents).toEqual([]);
    expect(alone.launch.steps.map(({ id }) => id)).not.toContain('agents');
    expect(operations(alone.launch)).toContainEqual(['port', 'cni0', 'node0', '10.42.0.1/24']);
  });

  it('are refused where there are no pods', () => {
    expect(() => planFor({ agents: '1', mode: 'control-plane' })).toThrow(InputError);
    expect(() => planFor({ agents: '1', mode: 'control-plane' })).toThrow(
      'agents: 1 more nodes need pods, and what can be had here is mode control-plane',
    );
  });

  it('are each given a /24 of --cluster-cidr, as far as it has them', () => {
    const given = { agents: '3', 'k3s-args': '--cluster-cidr=10.52.4.0/22' };
    const config = parse(written(launchOf(planFor(given), 2), 'agent-3/config.yaml')) as object;
    expect(config).toMatchObject({ server: 'https://10.52.4.1:6443', 'node-ip': '10.52.7.1' });
    expect(() => planFor({ ...given, agents: '4' })).toThrow(
      'agents: 4 more nodes need a /24 each, and --cluster-cidr=10.52.4.0/22 has room for 3',
    );
  });

  it('have no token that the workflow chose', () => {
    const given = { 'k3s-args': '--debug\n--agent-token=abc' };
    expect(() => planFor({ ...given, agents: '1' })).toThrow(
      'k3s-args: line 2: --agent-token cannot be beside agents',
    );
    expect(planFor({ ...given, agents: '0' }).agents).toEqual([]);
  });

  it.each(['10', '-1', 'two'])('are not %s', (agents) => {
    expect(() => planFor({ agents })).toThrow(`agents: "${agents}" is not a number from 0 to 9`);
  });
});
