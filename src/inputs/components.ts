import { InputError } from '../errors.ts';

/** What runs beside the control plane: k3s's packaged parts, and `metrics`, which is the action's. */
export const COMPONENTS = [
  'coredns',
  'local-storage',
  'metrics',
  'traefik',
  'helm-controller',
] as const;
export type Component = (typeof COMPONENTS)[number];

/** What nearly every chart takes for granted. */
const STANDARD: readonly Component[] = ['coredns', 'local-storage', 'metrics'];

/** k3s's own is a pod with an image to pull; the action serves the same API without either. */
const METRICS_SERVER = 'metrics-server';

/** @throws InputError naming what is not known */
export function parseComponents(text: string): readonly Component[] {
  const names = text.split(/[\s,]+/).filter((name) => name !== '');
  if (names.length === 0) {
    return STANDARD;
  }
  if (names.length === 1 && names[0] === 'none') {
    return [];
  }
  const unknown = names.find((name) => !COMPONENTS.includes(name as Component));
  if (unknown !== undefined) {
    const instead =
      unknown === METRICS_SERVER ? '; metrics serves the same API, with no image to pull' : '';
    throw new InputError(
      `components: "${unknown}" is not known; choose of ${COMPONENTS.join(', ')}, or none${instead}`,
    );
  }
  // Traefik's manifest is a HelmChart.
  const wanted = names.includes('traefik') ? [...names, 'helm-controller'] : names;
  return COMPONENTS.filter((component) => wanted.includes(component));
}

/** Without those that k3s-args disables, as k3s calls them. */
export function without(
  components: readonly Component[],
  disabled: readonly string[],
): readonly Component[] {
  const off = disabled.map((name) => (name === METRICS_SERVER ? 'metrics' : name));
  return components.filter((component) => !off.includes(component));
}

/** k3s's list of what is off, servicelb apart, which cannot work here. */
export function disabledOf(components: readonly Component[]): string[] {
  const packaged: readonly Component[] = ['coredns', 'local-storage', 'traefik'];
  return [...packaged.filter((component) => !components.includes(component)), METRICS_SERVER];
}
