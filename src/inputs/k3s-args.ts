import { isIPv4 } from 'node:net';
import { InputError } from '../errors.ts';

/** One flag of k3s server. */
export interface Flag {
  /** Without dashes, never a one-letter alias. */
  readonly name: string;
  readonly value: string | undefined;
  /** Where it was given, for errors. */
  readonly where: string;
}

/** What k3s-args asks for, apart from what k3s is given as it is. */
export interface K3sArgs {
  readonly flags: readonly Flag[];
  /** The plan makes these its own: the gateway and the CNI plugin need them, too. */
  readonly networks: Networks;
  readonly nodeName: string | undefined;
  /** The packaged parts that are not wanted. */
  readonly disable: readonly string[];
  /** What must never be printed. */
  readonly secrets: readonly string[];
}

export interface Networks {
  readonly pods?: string | undefined;
  readonly services?: string | undefined;
  readonly dns?: string | undefined;
}

/** pkg/cli/cmds of k3s. */
const ALIASES: Readonly<Record<string, string>> = {
  c: 'config',
  d: 'data-dir',
  l: 'log',
  o: 'write-kubeconfig',
  s: 'server',
  t: 'token',
};

const SECRET = /^(token|agent-token|datastore-endpoint|vpn-auth|etcd-s3-(access|secret)-key)$/;

const KUBECONFIG = 'the input kubeconfig says where the kubeconfig goes';
const API_SERVER =
  'the kubeconfig and the output api-server have the address at which steps reach the API server';

/** Flags whose place the action has taken, and the way to get the same thing. */
const TAKEN: Readonly<Record<string, string>> = {
  config:
    'write its settings as flags here; /etc/rancher/k3s/config.yaml and config.yaml.d of the runner are read as well',
  'data-dir': "k3s's data is in the run's own root and vanishes with it",
  log: "k3s's log is in the directory that the output logs names",
  'write-kubeconfig': KUBECONFIG,
  'write-kubeconfig-mode': KUBECONFIG,
  'write-kubeconfig-group': KUBECONFIG,
  'https-listen-port': API_SERVER,
  'supervisor-port': API_SERVER,
  'apiserver-port': API_SERVER,
  'bind-address': API_SERVER,
  'apiserver-bind-address': API_SERVER,
  'with-node-id': "--node-name gives the node's whole name",
  'disable-agent': 'the input mode has control-plane',
  'disable-apiserver': 'nothing can be waited for without it',
  'disable-scheduler': 'nothing can be waited for without it',
  'disable-controller-manager': 'nothing can be waited for without it',
  'disable-helm-controller': 'the input components says whether it runs (helm-controller)',
  'container-runtime-endpoint': "pods run in k3s's own containerd",
  docker: "pods run in k3s's own containerd",
  rootless: 'the action makes the namespaces',
};

/** The kubelet's, of kubelet-arg. */
const TAKEN_OF_KUBELET: Readonly<Record<string, string>> = {
  'root-dir': "the kubelet's files are in the run's own root",
  'config-dir': 'write its settings as kubelet-arg',
  'hostname-override': "--node-name gives the node's whole name",
  'node-ip': "the node's address is the first of --cluster-cidr",
  port: 'k3s looks for the kubelet on 10250',
};

/**
 * Reads the input k3s-args: flags by lines or several on one, `--a=b` or `--a b`, quoted, with comments.
 * @throws InputError naming each line that is not understood, and each flag that is the action's own
 */
export function parseK3sArgs(text: string): K3sArgs {
  const problems: string[] = [];
  const lines = text.trim().split('\n');
  const flags = lines.flatMap((line, index) => {
    const where = `k3s-args: line ${index + 1}`;
    try {
      return flagsOf(wordsOf(line, where, lines.length === 1), where);
    } catch (error) {
      problems.push((error as Error).message);
      return [];
    }
  });
  return takeOwn(flags, problems);
}

/**
 * Splits off what the plan must know of.
 * @throws InputError for `problems`, and for flags that cannot be had
 */
export function takeOwn(flags: readonly Flag[], problems: readonly string[] = []): K3sArgs {
  const found = [...problems, ...flags.flatMap(refusals)];
  if (found.length > 0) {
    throw new InputError(found.join('\n'));
  }
  const last = (name: string): string | undefined =>
    flags.findLast((flag) => flag.name === name)?.value;
  const own = ['cluster-cidr', 'service-cidr', 'cluster-dns', 'node-name', 'disable'];
  return {
    flags: flags.filter(({ name }) => !own.includes(name)),
    networks: {
      pods: last('cluster-cidr'),
      services: last('service-cidr'),
      dns: last('cluster-dns'),
    },
    nodeName: last('node-name'),
    disable: flags.flatMap(({ name, value }) =>
      name === 'disable' ? (value ?? '').split(',').map((part) => part.trim()) : [],
    ),
    secrets: flags.flatMap(({ name, value }) =>
      SECRET.test(name) && value !== undefined ? [value] : [],
    ),
  };
}

/** As k3s takes it. */
export function argumentOf({ name, value }: Flag): string {
  return `--${name}${value === undefined ? '' : `=${value}`}`;
}

export function isSecret({ name }: Flag): boolean {
  return SECRET.test(name);
}

function refusals(flag: Flag): string[] {
  const { name, value, where } = flag;
  const refuse = (why: string): string[] => [`${where}: --${name}${why}`];
  const way = TAKEN[name];
  if (way !== undefined) {
    return refuse(` is not k3s's to decide here: ${way}`);
  }
  switch (name) {
    case 'kubelet-arg': {
      const [argument = ''] = (value ?? '').split('=');
      const other = TAKEN_OF_KUBELET[argument.replace(/^-+/, '')];
      return other === undefined
        ? []
        : refuse(`=${argument} is not the kubelet's to decide here: ${other}`);
    }
    case 'cluster-cidr':
      return isNetwork(value, 8, 24)
        ? []
        : refuse(`: "${value ?? ''}" is not one IPv4 network of /8 to /24, such as 10.52.0.0/16`);
    case 'service-cidr':
      return isNetwork(value, 12, 24)
        ? []
        : refuse(`: "${value ?? ''}" is not one IPv4 network of /12 to /24, such as 10.53.0.0/16`);
    case 'cluster-dns':
      return value !== undefined && isIPv4(value)
        ? []
        : refuse(`: "${value ?? ''}" is not one IPv4 address, such as 10.53.0.10`);
    case 'node-name':
      return value !== undefined && /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(value)
        ? []
        : refuse(`: "${value ?? ''}" is not a DNS name in lower case`);
    case 'disable':
      // As the last word of a line it has lost its value; Go's flags would take the next flag for it.
      return value === undefined || value === ''
        ? refuse(' has no value; write --disable=local-storage, or use the input components')
        : [];
    default:
      return [];
  }
}

/** Whether it is a network's own address with a prefix in the range. */
function isNetwork(text: string | undefined, least: number, most: number): boolean {
  const [address = '', prefix = ''] = (text ?? '').split('/');
  const bits = Number(prefix);
  if (!isIPv4(address) || !/^\d+$/.test(prefix) || bits < least || bits > most) {
    return false;
  }
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return value % 2 ** (32 - bits) === 0;
}

function flagsOf(words: readonly string[], where: string): Flag[] {
  const flags: Flag[] = [];
  for (const word of words) {
    const match = /^--?([a-z][\w-]*)(?:=([^]*))?$/i.exec(word);
    const before = flags.at(-1);
    if (match !== null) {
      const [, name = '', value] = match;
      flags.push({ name: ALIASES[name] ?? name, value, where });
    } else if (word.startsWith('-')) {
      throw new InputError(`${where}: "${word}" is not a flag; write --flag=value`);
    } else if (before === undefined) {
      throw new InputError(
        `${where}: "${word}" does not begin with --; write --flag=value or --flag value`,
      );
    } else if (before.value !== undefined) {
      // A value cut off at a blank may be a part of a secret.
      const what = SECRET.test(before.name) ? 'what follows its value' : `"${word}"`;
      throw new InputError(
        `${where}: ${what} belongs to no flag after --${before.name}; quote a value that has blanks`,
      );
    } else {
      flags[flags.length - 1] = { ...before, value: word };
    }
  }
  return flags;
}

/**
 * The words of a line, as a shell would split them, but for backslashes and variables.
 * @param only whether it is the only line: YAML's folding makes one of several, comments included
 */
function wordsOf(line: string, where: string, only: boolean): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (quote !== undefined) {
      if (character === quote) {
        quote = undefined;
      } else {
        word = `${word ?? ''}${character}`;
      }
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) {
        words.push(word);
      }
      word = undefined;
    } else if (character === '#' && word === undefined) {
      const comment = line.slice(index);
      if ((only || words.length > 0) && /\s-/.test(comment)) {
        throw new InputError(
          `${where}: flags follow the comment's "#", and would be lost; if the text was folded (">"), write it as a block ("|")`,
        );
      }
      break;
    } else {
      word = `${word ?? ''}${character}`;
    }
  }
  if (quote !== undefined) {
    throw new InputError(`${where}: a quotation mark (${quote}) is not closed`);
  }
  return word === undefined ? words : [...words, word];
}
