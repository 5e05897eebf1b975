import { parseDocument } from 'yaml';
import { InputError } from '../errors.ts';

/** k3s's registries.yaml (https://docs.k3s.io/installation/private-registry). */
export interface Registries {
  readonly content: string;
  /** What must never be printed. */
  readonly secrets: readonly string[];
  /** Ports of 127.0.0.1 where a registry is asked. */
  readonly localPorts: readonly number[];
}

const KEYS = ['mirrors', 'configs'];

/**
 * @param where what an error calls the content
 * @throws InputError if `content` is no such file; never with a part of the content, which is secret
 */
export function parseRegistries(content: string, where = 'registries'): Registries | undefined {
  if (content.trim() === '') {
    return undefined;
  }
  const document = parseDocument(content, { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = content.slice(0, error.pos[0]).split('\n').length;
    throw new InputError(`${where}: line ${line} is not YAML (${error.code})`);
  }
  const value: unknown = document.toJS();
  if (!isMapping(value)) {
    throw new InputError(
      `${where}: is not a mapping; give the content of a registries.yaml, with mirrors or configs`,
    );
  }
  const unknown = Object.keys(value).filter((key) => !KEYS.includes(key));
  const notMapping = KEYS.filter((key) => value[key] !== undefined && !isMapping(value[key]));
  if (unknown.length > 0 || notMapping.length > 0) {
    throw new InputError(
      `${where}: ${[
        ...unknown.map((key) => `"${key}" is not known, it has mirrors and configs`),
        ...notMapping.map((key) => `${key} is not a mapping of registries`),
      ].join('; ')}`,
    );
  }
  return {
    content,
    secrets: secretsIn(value['configs']),
    localPorts: localPortsIn(value['mirrors']),
  };
}

/** All of `configs.<registry>.auth` but the user's name: password, auth, identity_token. */
function secretsIn(configs: unknown): string[] {
  const auths = isMapping(configs)
    ? Object.values(configs).flatMap((config) =>
        isMapping(config) && isMapping(config['auth']) ? [config['auth']] : [],
      )
    : [];
  return auths.flatMap(({ username, ...secrets }) => {
    // The form in which it goes over the wire, and into a registry's own errors.
    const basic =
      'password' in secrets ? [`${String(username)}:${String(secrets['password'])}`] : [];
    return [
      ...Object.values(secrets).map(String),
      ...basic.map((text) => Buffer.from(text).toString('base64')),
    ].filter((secret) => secret !== '');
  });
}

/** The node has its node ports itself, and the runner's are led there. */
const isNodePort = (port: number): boolean => port >= 30_000 && port <= 32_767;

/** A mirror's own name is asked as well, when no endpoint of it has the image. */
function localPortsIn(mirrors: unknown): number[] {
  const places = isMapping(mirrors)
    ? Object.entries(mirrors).flatMap(([name, mirror]) => [
        `http://${name}`,
        ...(isMapping(mirror) && Array.isArray(mirror['endpoint'])
          ? (mirror['endpoint'] as unknown[])
          : []),
      ])
    : [];
  const ports = places.flatMap((place) => {
    const [, host = '', port = ''] =
      /^https?:\/\/(localhost|127\.0\.0\.1):(\d{1,5})(?:\/|$)/.exec(String(place)) ?? [];
    return host === '' || isNodePort(Number(port)) ? [] : [Number(port)];
  });
  return [...new Set(ports)].filter((port) => port >= 1 && port <= 65_535).sort((a, b) => a - b);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
