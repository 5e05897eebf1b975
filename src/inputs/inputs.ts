import { isIPv4 } from 'node:net';
import { join, resolve } from 'node:path';
import { errorMessage, InputError } from '../errors.ts';
import { home } from '../files.ts';
import { MODES, SYSCTLS, type Mode, type Sysctls } from '../mode.ts';
import { CHANNEL_SERVER } from '../k3s/channels.ts';
import type { K3sRequest } from '../k3s/install.ts';
import { parseRegistries, type Registries } from '../k3s/registries.ts';
import { RELEASES } from '../k3s/release.ts';
import { asSha256 } from '../supply/verify.ts';
import type { Source } from '../k3s/source.ts';
import { parseVersion } from '../k3s/version.ts';
import { parseComponents, without, type Component } from './components.ts';
import { parseK3sArgs, type K3sArgs } from './k3s-args.ts';
import { lines } from './lines.ts';
import { parseNodeLabels, type NodeLabels } from './node-labels.ts';
import { parseWorkarounds, type Forced } from './workarounds.ts';

export interface Inputs extends K3sRequest {
  readonly mode: Mode | 'auto';
  readonly sysctls: Sysctls;
  readonly components: readonly Component[];
  readonly k3sArgs: K3sArgs;
  readonly workarounds: Forced;
  /** How many nodes there are beside the server's. */
  readonly agents: number;
  readonly nodeLabels: NodeLabels;
  /** The program that maps ids for a runner that is not root; undefined to look for it. */
  readonly idMapHelper: string | undefined;
  /** Globs or paths of image tars. */
  readonly images: readonly string[];
  /** Whether the images given as tars are kept unpacked for the next start. */
  readonly warmStart: boolean;
  /** Image references. */
  readonly pull: readonly string[];
  readonly registries: Registries | undefined;
  /** IPv4 networks outside that pods do not reach. */
  readonly denyOutside: readonly string[];
  readonly timeoutMs: number;
  /** The absolute path at which the kubeconfig goes; undefined for a file of the run's own. */
  readonly kubeconfig: string | undefined;
  /** Whether a cluster that was there before the job is there after it. */
  readonly keepRunning: boolean;
}

/** Reads one raw input by its name in action.yml; empty when it was not given. */
export type ReadInput = (name: string) => string;

const DURATION = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/;

/**
 * Turns the raw inputs into `Inputs`.
 * @throws InputError naming every bad input at once: what it was, what is wrong, what would be right.
 */
export function parseInputs(read: ReadInput): Inputs {
  const problems: string[] = [];
  const collect = <T>(parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      problems.push(errorMessage(error));
      return undefined;
    }
  };

  const checksum = collect(() => parseChecksum(read('checksum')));
  const source = collect(() => parseSource(read, checksum));
  const mode = collect(() => parseMode(read('mode')));
  const sysctls = collect(() => parseSysctls(read('sysctls')));
  const timeoutMs = collect(() => parseTimeout(read('timeout')));
  const components = collect(() => parseComponents(read('components')));
  const k3sArgs = collect(() => parseK3sArgs(read('k3s-args')));
  const workarounds = collect(() => parseWorkarounds(read('workarounds')));
  const agents = collect(() => parseAgents(read('agents')));
  const nodeLabels = collect(() => parseNodeLabels(read('node-labels'), agents));
  const releases = collect(() => parseAddress(read, 'release-mirror', RELEASES));
  const channelServer = collect(() => parseAddress(read, 'channel-server', CHANNEL_SERVER));
  const airgap = collect(() => parseBoolean(read, 'airgap'));
  const warmStart = collect(() => parseBoolean(read, 'warm-start'));
  const keepRunning = collect(() => parseBoolean(read, 'keep-running'));
  const pull = collect(() => parsePull(read('pull')));
  const registries = collect(() => parseRegistries(read('registries')));
  const denyOutside = collect(() => parseNetworks('deny-outside', read('deny-outside')));
  const kubeconfig = collect(() => parseKubeconfig(read('kubeconfig')));

  if (
    source === undefined ||
    mode === undefined ||
    sysctls === undefined ||
    timeoutMs === undefined ||
    components === undefined ||
    k3sArgs === undefined ||
    workarounds === undefined ||
    agents === undefined ||
    nodeLabels === undefined ||
    releases === undefined ||
    channelServer === undefined ||
    airgap === undefined ||
    warmStart === undefined ||
    keepRunning === undefined ||
    pull === undefined ||
    denyOutside === undefined ||
    problems.length > 0
  ) {
    throw new InputError(problems.join('\n'));
  }
  return {
    source,
    checksum,
    mode,
    sysctls,
    components: without(components, k3sArgs.disable),
    k3sArgs,
    workarounds,
    agents,
    nodeLabels,
    releases,
    channelServer,
    idMapHelper: read('id-map-helper') || undefined,
    images: lines(read('images')),
    airgap,
    warmStart,
    pull,
    registries,
    denyOutside,
    timeoutMs,
    kubeconfig,
    keepRunning,
  };
}

function parseSource(read: ReadInput, checksum: string | undefined): Source {
  const path = read('k3s-path');
  const url = read('k3s-url');
  if (path !== '' && url !== '') {
    throw new InputError('k3s-path and k3s-url: both are given; give the one to use');
  }
  if (path !== '') {
    return { kind: 'path', path };
  }
  if (url !== '') {
    assertAddress('k3s-url', url);
    if (checksum === undefined) {
      throw new InputError(
        'k3s-url: needs checksum, the SHA-256 of the binary behind it; an unverified binary is never run',
      );
    }
    return { kind: 'url', url, checksum };
  }
  return { kind: 'release', version: parseVersion(read('version')) };
}

function assertAddress(name: string, text: string): void {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InputError(`${name}: "${text}" is not an http or https address`);
  }
}

function parseAddress(read: ReadInput, name: string, standard: string): string {
  const text = read(name);
  if (text === '') {
    return standard;
  }
  assertAddress(name, text);
  return text.replace(/\/+$/, '');
}

function parseBoolean(read: ReadInput, name: string): boolean {
  const text = read(name);
  if (text !== '' && text !== 'true' && text !== 'false') {
    throw new InputError(`${name}: "${text}" is neither true nor false`);
  }
  return text === 'true';
}

function parsePull(text: string): string[] {
  const images = lines(text);
  const bad = images.find((image) => /\s|:\/\//.test(image));
  if (bad !== undefined) {
    throw new InputError(
      `pull: "${bad}" is not an image reference; write one per line, such as docker.io/library/nginx:1.29`,
    );
  }
  return images;
}

function parseChecksum(text: string): string | undefined {
  if (text === '') {
    return undefined;
  }
  const sha256 = asSha256(text);
  if (sha256 === undefined) {
    throw new InputError(
      `checksum: "${text}" is not a SHA-256; give 64 hex digits, as sha256sum prints them`,
    );
  }
  return sha256;
}

function parseMode(text: string): Mode | 'auto' {
  const mode = [...MODES, 'auto' as const].find((known) => known === text);
  if (mode === undefined) {
    throw new InputError(`mode: "${text}" is not known; choose auto, ${MODES.join(', ')}`);
  }
  return mode;
}

function parseSysctls(text: string): Sysctls {
  const sysctls = SYSCTLS.find((known) => known === text);
  if (sysctls === undefined) {
    throw new InputError(`sysctls: "${text}" is not known; choose ${SYSCTLS.join(', ')}`);
  }
  return sysctls;
}

/** Each takes a /24 of the pods' network, and memory. */
const AGENTS_MAX = 9;

function parseAgents(text: string): number {
  if (!/^\d?$/.test(text)) {
    throw new InputError(`agents: "${text}" is not a number from 0 to ${AGENTS_MAX}`);
  }
  return Number(text);
}

/** As many as the gateway takes. */
const NETWORKS_MAX = 64;

function parseNetworks(name: string, text: string): string[] {
  const networks = lines(text);
  const bad = networks.find((network) => {
    const [, address = '', prefix = ''] = /^([^/]+)\/(\d{1,2})$/.exec(network) ?? [];
    return !isIPv4(address) || Number(prefix) > 32;
  });
  if (bad !== undefined) {
    throw new InputError(
      `${name}: "${bad}" is not an IPv4 network; write one such as 169.254.0.0/16 per line`,
    );
  }
  if (networks.length > NETWORKS_MAX) {
    throw new InputError(`${name}: ${networks.length} networks are more than ${NETWORKS_MAX}`);
  }
  return networks;
}

function parseTimeout(text: string): number {
  const [, hours = 0, minutes = 0, seconds = 0] = DURATION.exec(text) ?? [];
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  if (ms === 0) {
    // A bare number is seconds to some and minutes to others.
    const examples = /^[1-9]\d*$/.test(text) ? `${text}s or ${text}m` : '90s, 5m or 1m30s';
    throw new InputError(
      `timeout: "${text}" is not a duration; write a number with s, m or h, such as ${examples}`,
    );
  }
  return ms;
}

/** Later steps may have another working directory, and nobody but a shell knows what `~` is. */
function parseKubeconfig(text: string): string | undefined {
  if (text === '') {
    return undefined;
  }
  if (text.endsWith('/')) {
    throw new InputError(`kubeconfig: "${text}" names a directory; give the path of a file`);
  }
  if (text.startsWith('~') && !text.startsWith('~/')) {
    throw new InputError(
      `kubeconfig: "${text}" begins with the home of another user; give a path, or ~/ for your own`,
    );
  }
  return text.startsWith('~/') ? join(home(), text.slice(2)) : resolve(text);
}
