import { join } from 'node:path';
import { stringify } from 'yaml';
import { InputError } from '../errors.ts';
import type { Flag } from '../inputs/k3s-args.ts';
import type { NodeLabels } from '../inputs/node-labels.ts';
import { PRIVATE_FILES, type Layout } from '../layout.ts';
import type { Launch, Namespace, Operation, Step } from '../namespaces/operations.ts';
import type { Addresses } from './addresses.ts';
import { podCgroupsOf } from './cgroup-hierarchy.ts';
import { BRIDGE, cniConfig, NODE_LINK, onLink } from './parts/gateway-network.ts';
import { unpackedOperations } from './parts/data-tmpfs.ts';
import type { ConfigValue, Context } from './part.ts';

/** One more node: a k3s agent in namespaces of its own, on the server's bridge. */
export interface Agent {
  readonly name: string;
  /** Its own on the bridge. */
  readonly address: string;
  /** A file that is its network namespace, for the gateway to listen in. */
  readonly netns: string;
  /** Of its own init, which the server's init starts. */
  readonly launchFile: string;
  readonly launch: Launch;
}

/** A file that is the server's network namespace. */
const WIRE = join(PRIVATE_FILES, 'wire');

/** Where containerd keeps the network namespaces of pods, by which the gateway writes their rules. */
const POD_NAMESPACES = '/run/netns';

/** Mounts of the server's that an agent mounts something on, which the server must not see. */
const SPLIT = ['/', '/proc', '/run', '/var/lib/kubelet', '/var/log/pods'];

const NAMESPACES: readonly Namespace[] = ['mount', 'pid', 'network', 'uts', 'ipc'];

/** What the agents share with the server. */
export interface AgentInput {
  readonly count: number;
  readonly labels: NodeLabels;
  /** The server's. */
  readonly flags: readonly Flag[];
  readonly token: string;
  readonly wrapper: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The kubelet's, containerd's and the images' files for a data directory. */
  readonly configure: (data: string) => readonly Operation[];
}

/** What the server's namespaces need for agents, before its processes are started. */
export function wireStep(agents: readonly Agent[]): Step {
  return {
    id: 'agents',
    reason: "agents' nodes are ports of the same bridge, and their pods' namespaces are seen here",
    operations: [
      ['write', WIRE, '0600', ''],
      ['bind', '/proc/self/ns/net', WIRE, '-'],
      ['directory', POD_NAMESPACES, '0755'],
      ['mount', 'tmpfs', POD_NAMESPACES, 'tmpfs', 'nosuid,nodev,noexec', 'mode=0755'],
      ['propagation', POD_NAMESPACES, 'shared'],
      ...agents.map(({ netns }): Operation => ['write', netns, '0600', '']),
    ],
  };
}

/** Starts each agent's init beside k3s: an agent waits for the server by itself. */
export function startAgents(agents: readonly Agent[], layout: Layout): Step {
  return {
    id: 'agents',
    reason: "k3s's own agent command, a node each",
    operations: agents.flatMap(({ name, launchFile }): Operation[] => [
      ['process', name, 'restart', join(layout.logs, `${name}-init.log`)],
      ['argument', name, join(layout.native, 'init')],
      ['argument', name, launchFile],
      ['start', name],
    ]),
  };
}

/** The server's configuration for its agents: a token of their own, which makes nobody a server. */
export function agentTokenStep(config: string, token: string): Step {
  return {
    id: 'agents',
    reason: 'the token that agents join with',
    isSecret: true,
    operations: [
      ['directory', `${config}.d`, '0700'],
      ['write', `${config}.d/50-agents.yaml`, '0600', stringify({ 'agent-token': token })],
    ],
  };
}

/** @throws InputError if the pods' network has not a /24 for each node, or the server has a token for agents */
export function planAgents(context: Context, input: AgentInput): Agent[] {
  const { podCidr } = context.addresses;
  const rival = input.flags.find(({ name }) => /^agent-token(-file)?$/.test(name));
  if (rival !== undefined) {
    throw new InputError(
      `${rival.where}: --${rival.name} cannot be beside agents, whose token is made for each run`,
    );
  }
  const room = 2 ** (24 - Number(podCidr.slice(podCidr.indexOf('/') + 1))) - 1;
  if (input.count > room) {
    throw new InputError(
      `agents: ${input.count} more nodes need a /24 each, and --cluster-cidr=${podCidr} has room for ${room}`,
    );
  }
  return Array.from({ length: input.count }, (_, index) => planAgent(context, input, index + 1));
}

function planAgent(context: Context, input: AgentInput, number: number): Agent {
  const { layout, addresses, nodeName } = context;
  const short = `agent-${number}`;
  const name = `${nodeName}-${short}`;
  const data = `/var/lib/rancher/${short}`;
  const config = join(PRIVATE_FILES, short, 'config.yaml');
  const own = addressesOf(addresses, number);
  const netns = join(POD_NAMESPACES, short);
  const k3sConfig: Record<string, ConfigValue> = {
    'node-name': name,
    'node-ip': own.node,
    'data-dir': data,
    server: `https://${addresses.node}:6443`,
    token: input.token,
    'kubelet-arg': [`cgroup-root=/${layout.podCgroups}/${short}`],
    'resolv-conf': '/etc/resolv.conf',
    ...labelsOf(input.labels, short),
  };
  const steps: Step[] = [
    { id: 'node', reason: 'what is its own of the files', operations: files(context, short, data) },
    { id: 'node', reason: 'its cgroup', operations: cgroups(context, short) },
    {
      id: 'node',
      reason: "its link on the server's bridge, and its pods'",
      operations: [
        ['hostname', name],
        ['bind', '/proc/self/ns/net', netns, '-'],
        ['link-up', 'lo'],
        ['distant-port', WIRE, BRIDGE, short, NODE_LINK, onLink(own.node, addresses)],
        ['default-route', addresses.node, NODE_LINK],
        ...cniConfig(layout, {
          subnet: own.nodeCidr,
          network: addresses.podCidr,
          bridgeNetns: WIRE,
          gateway: addresses.node,
          reserved: [own.node],
          dataDir: `/var/lib/cni/${short}`,
        }),
      ],
    },
    { id: 'node', reason: 'its configuration', operations: input.configure(data) },
    {
      id: 'node',
      reason: 'its place in the cluster',
      isSecret: true,
      operations: [
        ['directory', join(PRIVATE_FILES, short), '0700'],
        ['write', config, '0600', stringify(k3sConfig)],
      ],
    },
    {
      id: 'node',
      reason: 'the agent',
      operations: [
        ...Object.entries({ ...input.environment, K3S_CONFIG_FILE: config }).map(
          ([key, value]): Operation => ['environment', key, value],
        ),
        ['process', 'k3s', 'essential', join(layout.logs, `${short}.log`)],
        ...[...input.wrapper, context.k3s.binary, 'agent'].map((value): Operation => [
          'argument',
          'k3s',
          value,
        ]),
        ['start', 'k3s'],
        ['ready'],
      ],
    },
  ];
  const launch = { namespaces: NAMESPACES, idMaps: [], denySetgroups: false, steps };
  return {
    name,
    address: own.node,
    netns,
    launchFile: join(layout.state, `${short}.launch`),
    launch,
  };
}

/** k3s's setting for them; nothing where there are none. */
export function labelsOf(labels: NodeLabels, node: string): Record<string, ConfigValue> {
  const own = labels.get(node);
  return own === undefined ? {} : { 'node-label': own };
}

/** The node's /24 of the pods' network, as the server has the first. */
function addressesOf({ podCidr }: Addresses, number: number): { node: string; nodeCidr: string } {
  const [a = '', b = '', first = ''] = podCidr.split('.');
  const subnet = `${a}.${b}.${Number(first) + number}`;
  return { node: `${subnet}.1`, nodeCidr: `${subnet}.0/24` };
}

function files({ k3s, layout }: Context, short: string, data: string): Operation[] {
  const tmpfs = (path: string): Operation[] => [
    ['directory', path, '0755'],
    ['mount', 'tmpfs', path, 'tmpfs', 'nodev', 'mode=0755'],
  ];
  const containerd = join(data, 'agent', 'containerd');
  const pods = join(layout.logs, short, 'pods');
  const password = join(layout.state, short);
  const sysctls = join(PRIVATE_FILES, short, 'sys');
  return [
    ...SPLIT.map((path): Operation => ['propagation-here', path, 'private']),
    // A pid namespace of its own needs a proc of its own; what the server has over /proc/sys stays.
    ['directory', sysctls, '0755'],
    ['bind', '/proc/sys', sysctls, 'recursive'],
    ['mount', 'proc', '/proc', 'proc', 'nosuid,noexec,nodev', '-'],
    ['bind', sysctls, '/proc/sys', 'recursive'],
    ...['/run/k3s', '/var/lib/kubelet', '/var/log/containers', '/etc/cni/net.d'].flatMap(tmpfs),
    ...tmpfs(data),
    // Its password, by which the server knows it again when it had to be started anew.
    ['directory', password, '0700'],
    ['directory', '/etc/rancher/node', '0755'],
    ['bind', password, '/etc/rancher/node', '-'],
    ...unpackedOperations(k3s, data),
    ['directory', pods, '0755'],
    ['bind', pods, '/var/log/pods', '-'],
    ['directory', containerd, '0755'],
    ['symlink', join(layout.logs, `${short}-containerd.log`), join(containerd, 'containerd.log')],
    // Before they are shared: what the kubelet mounts for containers is asked to be.
    ...[...SPLIT, data].map((path): Operation => ['propagation-here', path, 'shared']),
    ['bind', containerd, containerd, '-'],
    ['propagation', containerd, 'private'],
  ];
}

/** Two kubelets below one cgroup would end each other's pods. */
function cgroups({ facts, layout }: Context, short: string): Operation[] {
  return podCgroupsOf(facts, layout).map((path) => ['directory', join(path, short), '0755']);
}
