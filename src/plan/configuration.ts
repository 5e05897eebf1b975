import { stringify } from 'yaml';
import type { ConfigValue } from './part.ts';

type Config = Readonly<Record<string, ConfigValue>>;

/**
 * Joins configurations: lists are appended to each other, any other value may be given once.
 * @throws if two of them give a key different values: a mistake in the plan, not of the user.
 */
export function mergeConfig(configs: readonly Config[]): Config {
  const merged: Record<string, ConfigValue> = {};
  for (const [key, value] of configs.flatMap((config) => Object.entries(config))) {
    const known = merged[key];
    if (known === undefined) {
      merged[key] = value;
    } else if (Array.isArray(known) && Array.isArray(value)) {
      merged[key] = [...(known as ConfigValue[]), ...(value as ConfigValue[])];
    } else if (known !== value) {
      throw new Error(`Failed to merge ${key}: it is ${String(known)} and ${String(value)}`);
    }
  }
  return merged;
}

/** A drop-in for k3s's kubelet.conf.d. */
export function kubeletConfig(configs: readonly Config[]): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    ...mergeConfig(configs),
  });
}

export interface ConfigFile {
  readonly path: string;
  readonly content: string;
}

/**
 * containerd's drop-in, and for a k3s whose template does not import drop-ins yet the template that
 * does: a redefined table would be an error ("table runc already exists"), an import is merged.
 */
export function containerdConfig(
  configs: readonly Readonly<Record<string, Config>>[],
  dropInsImported: boolean,
  data: string,
): ConfigFile[] {
  const directory = `${data}/agent/etc/containerd`;
  // TOML lets a table be opened once, and several workarounds may have a word to say in one.
  const names = new Set(configs.flatMap((config) => Object.keys(config)));
  const tables = [...names].map(
    (name) => [name, mergeConfig(configs.map((config) => config[name] ?? {}))] as const,
  );
  if (tables.length === 0) {
    return [];
  }
  const dropIn: ConfigFile = {
    path: `${directory}/config-v3.toml.d/50-k3s-in-gvisor.toml`,
    content: [
      'version = 3',
      ...tables.flatMap(([table, values]) => [
        `[${table}]`,
        ...Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
      ]),
      '',
    ].join('\n'),
  };
  const template: ConfigFile = {
    path: `${directory}/config-v3.toml.tmpl`,
    content: `imports = ["${directory}/config-v3.toml.d/*.toml"]\n{{ template "base" . }}\n`,
  };
  return dropInsImported ? [dropIn] : [dropIn, template];
}
