import { isIPv4 } from 'node:net';
import { parseArgs } from 'node:util';

export interface Config {
  readonly kubeconfig: string;
  /** The gateway's control socket. */
  readonly control: string;
  readonly nodeIp: string;
  readonly nodeName: string;
  /** The other nodes on the bridge. */
  readonly agents: readonly NodeAddress[];
  /** The /24 of which load balancers get their addresses. */
  readonly balancers: string;
  readonly metricsPort: number;
  /** Where the kubelet keeps what pods write; undefined where it tells its size itself. */
  readonly ephemeralStorage: string | undefined;
  /** A file with objects for the cluster (kubernetes/apply.ts), as JSON; undefined where there are none. */
  readonly objects: string | undefined;
  /** Where the metrics API is served on the node's address; undefined where it is not. */
  readonly metricsApiPort: number | undefined;
}

/** A node by the name of its Node object. */
export interface NodeAddress {
  readonly name: string;
  readonly ip: string;
}

export const USAGE =
  'controller --kubeconfig PATH --control PATH --node-ip IPV4 --metrics-port PORT --load-balancers CIDR [--node-name NAME] [--agent NAME=IPV4]... [--ephemeral-storage PATH] [--objects PATH] [--metrics-api-port PORT]';

const OPTIONS = {
  kubeconfig: { type: 'string' },
  control: { type: 'string' },
  'node-ip': { type: 'string' },
  'node-name': { type: 'string' },
  agent: { type: 'string', multiple: true },
  'metrics-port': { type: 'string' },
  'load-balancers': { type: 'string' },
  'ephemeral-storage': { type: 'string' },
  objects: { type: 'string' },
  'metrics-api-port': { type: 'string' },
} as const;

/** @throws Error that names every bad argument at once. */
export function parseConfig(argv: readonly string[], hostname: string): Config {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS });
  const problems: string[] = [];
  const required = (
    name: Exclude<keyof typeof OPTIONS, 'agent'>,
    valid: (value: string) => boolean,
    want: string,
  ) => {
    const value = values[name];
    if (value !== undefined && valid(value)) return value;
    problems.push(`--${name} must be ${want}, not ${value ?? 'missing'}`);
    return '';
  };
  const absolute = (value: string) => value.startsWith('/');

  const config = {
    kubeconfig: required('kubeconfig', absolute, 'an absolute path'),
    control: required('control', absolute, 'an absolute path'),
    nodeIp: required('node-ip', isIPv4, 'an IPv4 address'),
    balancers: required('load-balancers', isNetwork24, 'an IPv4 /24'),
    metricsPort: Number(required('metrics-port', isPort, 'a port from 1 to 65535')),
    // kubelet calls its Node after the host, in lower case, unless told otherwise.
    nodeName: values['node-name'] ?? hostname.toLowerCase(),
    agents: (values.agent ?? []).map((text) => {
      const [name = '', ip = ''] = text.split('=');
      if (name === '' || !isIPv4(ip)) problems.push(`--agent must be NAME=IPV4, not ${text}`);
      return { name, ip };
    }),
    ephemeralStorage:
      values['ephemeral-storage'] === undefined
        ? undefined
        : required('ephemeral-storage', absolute, 'an absolute path'),
    objects:
      values.objects === undefined ? undefined : required('objects', absolute, 'an absolute path'),
    metricsApiPort:
      values['metrics-api-port'] === undefined
        ? undefined
        : Number(required('metrics-api-port', isPort, 'a port from 1 to 65535')),
  };
  if (problems.length > 0) throw new Error(`${problems.join('; ')} (usage: ${USAGE})`);
  return config;
}

function isPort(value: string): boolean {
  return /^[0-9]{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65535;
}

function isNetwork24(value: string): boolean {
  return value.endsWith('.0/24') && isIPv4(value.slice(0, -'/24'.length));
}
