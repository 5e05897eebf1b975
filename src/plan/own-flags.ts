import { InputError } from '../errors.ts';
import type { Flag } from '../inputs/k3s-args.ts';
import type { Contribution } from './part.ts';

/** What a workaround that is applied has set, and why. */
export interface Setter {
  readonly id: string;
  readonly reason: string;
  readonly contribution: Pick<Contribution, 'k3s' | 'kubelet'>;
}

/**
 * The flags for k3s that the plan has not set already.
 * @throws InputError for each that contradicts the plan, with what the plan has instead and why: k3s
 * would take the flag, and what the workaround relies on would be gone
 */
export function flagsBeside(flags: readonly Flag[], setters: readonly Setter[]): Flag[] {
  const problems: string[] = [];
  const beside = flags.filter((flag) => {
    const settled = settledBy(flag, setters);
    if (settled === undefined) {
      return true;
    }
    if (settled.value !== settled.asked) {
      const { id, reason } = settled.setter;
      problems.push(
        `${flag.where}: ${settled.what} is ${settled.value} here and cannot be ${settled.asked} (${id}: ${reason})`,
      );
    }
    return false;
  });
  if (problems.length > 0) {
    throw new InputError(problems.join('\n'));
  }
  return beside;
}

function settledBy(
  { name, value }: Flag,
  setters: readonly Setter[],
): { setter: Setter; what: string; value: string; asked: string } | undefined {
  const [argument = '', ...rest] = (value ?? '').replace(/^-+/, '').split('=');
  for (const setter of setters) {
    const { k3s = {}, kubelet = {} } = setter.contribution;
    const own = k3s[name];
    // Lists are joined.
    if (own !== undefined && typeof own !== 'object') {
      return { setter, what: `--${name}`, value: String(own), asked: value ?? 'true' };
    }
    if (name !== 'kubelet-arg') {
      continue;
    }
    const field = Object.entries(kubelet).find(([key]) => sameSetting(key, argument));
    // A list that workarounds rely on has what a newer kernel would have by default; who names one knows.
    if (field !== undefined && typeof field[1] !== 'object') {
      const what = `--kubelet-arg=${argument}`;
      const asked = rest.length === 0 ? 'true' : rest.join('=');
      return { setter, what, value: JSON.stringify(field[1]), asked };
    }
  }
  return undefined;
}

/** A kubelet's flag is its configuration's field with dashes: fail-cgroupv1 and failCgroupV1. */
function sameSetting(field: string, flag: string): boolean {
  return field.toLowerCase() === flag.replaceAll('-', '').toLowerCase();
}
