import type { Inputs } from './inputs.ts';

/** All that the inputs hold and nobody may read: not in a log, not in a bundle. */
export function secretsOf({
  registries,
  k3sArgs,
}: Pick<Inputs, 'registries' | 'k3sArgs'>): string[] {
  return [...(registries?.secrets ?? []), ...k3sArgs.secrets].filter((secret) => secret !== '');
}
