import { parseDocument } from 'yaml';
import { InputError } from '../errors.ts';

/** k3s's registries.yaml (https://docs.k3s.io/installation/private-registry). */
export interface Registries {
  readonly content: string;
  /** What must never be printed. */
  readonly secrets: readonly string[];
}

const KEYS = ['mirrors', 'configs'];

/** @throws InputError if `content` is no such file; never with a part of the content, which is secret */
export function parseRegistries(content: string): Registries | undefined {
  if (content.trim() === '') {
    return undefined;
  }
  const document = parseDocument(content, { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = content.slice(0, error.pos[0]).split('\n').length;
    throw new InputError(`registries: line ${line} is not YAML (${error.code})`);
  }
  const value: unknown = document.toJS();
  if (!isMapping(value)) {
    throw new InputError(
      'registries: is not a mapping; give the content of a registries.yaml, with mirrors or configs',
    );
  }
  const unknown = Object.keys(value).filter((key) => !KEYS.includes(key));
  const notMapping = KEYS.filter((key) => value[key] !== undefined && !isMapping(value[key]));
  if (unknown.length > 0 || notMapping.length > 0) {
    throw new InputError(
      `registries: ${[
        ...unknown.map((key) => `"${key}" is not known, it has mirrors and configs`),
        ...notMapping.map((key) => `${key} is not a mapping of registries`),
      ].join('; ')}`,
    );
  }
  return { content, secrets: secretsIn(value['configs']) };
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

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
