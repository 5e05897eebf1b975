import { join } from 'node:path';
import { stringify } from 'yaml';
import { argumentOf, isSecret, type Flag } from '../inputs/k3s-args.ts';
import type { Operation, ProcessPolicy, Step } from '../namespaces/operations.ts';
import { can } from '../sandbox/facts.ts';
import type { OutboundProxy } from './outbound-proxy.ts';
import { startAgents, type Agent } from './agents.ts';
import { BRIDGE } from './parts/gateway-network.ts';
import type { Context } from './part.ts';

/** On the node's loopback; k3s itself uses 10248 to 10259. */
const CONTROLLER_METRICS_PORT = 10_240;

/** What inputs and workarounds add to the command lines. */
interface ProcessArguments {
  /** Networks outside that pods do not reach. */
  readonly denyOutside: readonly string[];
  /** Ports of the node's 127.0.0.1 that lead to the runner's. */
  readonly runnerPorts: readonly number[];
  /** How pods reach the outside where there is no other way. */
  readonly outbound: OutboundProxy | undefined;
  /** A program and its arguments that k3s is run under. */
  readonly wrapper: readonly string[];
  readonly controller: readonly string[];
  /** More nodes, started together with k3s. */
  readonly agents: readonly Agent[];
}

/** The gateway, the controller and k3s, in the order of their starting. */
export function processSteps(
  context: Context,
  flags: readonly Flag[],
  args: ProcessArguments,
): Step[] {
  const argument = (flag: Flag): Operation => ['argument', 'k3s', argumentOf(flag)];
  const secrets = flags.filter(isSecret);
  const k3s = { id: 'k3s', reason: 'the cluster' };
  const k3sSteps: Step[] = [
    {
      ...k3s,
      operations: [
        ...declare(context, 'k3s', 'essential', [...args.wrapper, context.k3s.binary, 'server']),
        ...flags.filter((flag) => !isSecret(flag)).map(argument),
      ],
    },
    ...(secrets.length === 0
      ? []
      : [{ ...k3s, isSecret: true as const, operations: secretFile(context, secrets) }]),
    { ...k3s, operations: [['start', 'k3s']] },
    ...(args.agents.length === 0 ? [] : [startAgents(args.agents, context.layout)]),
    { ...k3s, operations: [['ready']] },
  ];
  return context.isolation === 'none' ? k3sSteps : [...networkSteps(context, args), ...k3sSteps];
}

/** Whoever may list processes sees their arguments; k3s reads its flags from files beside its own, too. */
function secretFile({ paths }: Context, flags: readonly Flag[]): Operation[] {
  const directory = `${paths.config}.d`;
  const values = Object.fromEntries(flags.map(({ name, value }) => [name, value ?? '']));
  return [
    ['directory', directory, '0700'],
    ['write', `${directory}/secrets.yaml`, '0600', stringify(values)],
  ];
}

function declare(
  { layout }: Context,
  name: string,
  policy: ProcessPolicy,
  argv: readonly string[],
): Operation[] {
  return [
    ['process', name, policy, join(layout.logs, `${name}.log`)],
    ...argv.map((value): Operation => ['argument', name, value]),
  ];
}

/** Whoever may list processes sees their arguments, and not their environment. */
function credentialsOf(authorization: string): Operation[] {
  return [['process-environment', 'gateway', 'PROXY_AUTHORIZATION', authorization]];
}

function networkSteps(
  context: Context,
  { denyOutside, runnerPorts, outbound, controller, agents }: ProcessArguments,
): Step[] {
  const { layout, addresses, facts, nodeName } = context;
  const gateway = {
    id: 'gateway',
    reason: can(facts, 'output-dnat')
      ? "leads pods to Services by rules of their own, relays what else leaves their bridge, and brings the API server to the runner's 127.0.0.1"
      : "relays all that leaves the pods' bridge, Services included, since OUTPUT's nat table leads to no other pod, and brings the API server to the runner's 127.0.0.1",
  };
  return [
    {
      ...gateway,
      operations: [
        ...declare(context, 'gateway', 'restart', [
          join(layout.native, 'gateway'),
          '--control',
          layout.gatewaySocket,
          '--bridge',
          BRIDGE,
          '--bridge-address',
          addresses.node,
          '--router',
          addresses.nowhere,
          '--pod-cidr',
          addresses.podCidr,
          '--service-cidr',
          addresses.serviceCidr,
          '--direct',
          can(facts, 'output-dnat') ? 'on' : 'off',
          ...facts.resolver.nameservers.flatMap((address) => ['--dns-upstream', address]),
          ...denyOutside.flatMap((network) => ['--deny-outside', network]),
          ...runnerPorts.flatMap((port) => ['--borrow', `127.0.0.1:${port}=127.0.0.1:${port}`]),
          ...(outbound === undefined ? [] : ['--proxy', outbound.endpoint]),
          ...(outbound?.direct ?? []).flatMap((network) => ['--no-proxy', network]),
          ...agents.flatMap(({ address, netns }) => ['--node', `${address}=${netns}`]),
          '--publish',
          `127.0.0.1:${facts.apiServerPort}=127.0.0.1:6443`,
        ]),
      ],
    },
    ...(outbound?.authorization === undefined
      ? []
      : [
          {
            ...gateway,
            isSecret: true as const,
            operations: credentialsOf(outbound.authorization),
          },
        ]),
    {
      ...gateway,
      operations: [
        ['uplink', 'gateway'],
        ['start', 'gateway'],
        ['await', 'gateway'],
      ],
    },
    {
      id: 'controller',
      reason: "tells the gateway the cluster's Services and NetworkPolicies",
      operations: [
        ...declare(context, 'controller', 'restart', [
          layout.node,
          // Memory before speed: it waits nearly always, and 8 MiB less stay resident.
          '--max-semi-space-size=1',
          '--optimize-for-size',
          layout.controller,
          '--kubeconfig',
          layout.k3sKubeconfig,
          '--control',
          layout.gatewaySocket,
          '--node-ip',
          addresses.node,
          '--node-name',
          nodeName,
          '--metrics-port',
          String(CONTROLLER_METRICS_PORT),
          '--load-balancers',
          addresses.loadBalancerCidr,
          ...agents.flatMap(({ name, address }) => ['--agent', `${name}=${address}`]),
          ...controller,
        ]),
        ['start', 'controller'],
      ],
    },
  ];
}
