import { InputError } from '../errors.ts';

/** Parts of the plan that are on (true) or off whatever the facts say, by their ids. */
export type Forced = ReadonlyMap<string, boolean>;

/** @throws InputError for what is neither `+id` nor `-id`, or both */
export function parseWorkarounds(text: string): Forced {
  const forced = new Map<string, boolean>();
  for (const word of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [, sign, id = ''] = /^([+-])([a-z0-9-]+)$/.exec(word) ?? [];
    if (sign === undefined) {
      throw new InputError(
        `workarounds: "${word}" is neither on nor off; write +id or -id, such as -sysctl-overlay`,
      );
    }
    if (forced.has(id)) {
      throw new InputError(`workarounds: ${id} is given twice; give it once`);
    }
    forced.set(id, sign === '+');
  }
  return forced;
}
