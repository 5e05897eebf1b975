import { readFileSync } from 'node:fs';
import { InputError, errorMessage } from '../errors.ts';
import type { ReadInput } from '../inputs/inputs.ts';

export interface ActionFile {
  readonly inputs: Readonly<
    Record<string, { readonly description: string; readonly default?: string }>
  >;
}

/** How an input of action.yml is given on the command line. */
export interface StartOption {
  readonly flags: string;
  readonly description: string;
  /** Whether it may be given several times, a line of the input each. */
  readonly isList: boolean;
  readonly default: string;
}

/** What only a post step does. */
const OF_ACTION = ['keep-running'];

/** action.yml's inputs as options: one list, described in one place. */
export function startOptions({ inputs }: ActionFile): StartOption[] {
  const own = Object.entries(inputs).filter(([name]) => !OF_ACTION.includes(name));
  return own.map(([name, { description, default: value = '' }]) => {
    const isList = / one (path or glob )?per line/.test(description);
    const isBoolean = / true or false/.test(description);
    return {
      flags: isBoolean ? `--${name} [boolean]` : `--${name} <value>`,
      description: isList
        ? description.replace(/,? one .*per line/, '; may be given again')
        : description,
      isList,
      default: value,
    };
  });
}

/**
 * Reads inputs from what commander parsed: a boolean needs no value, a list may be given again, and
 * `@file` or `-` keeps a secret out of the process list.
 */
export function inputsFrom(options: Readonly<Record<string, unknown>>): ReadInput {
  return (name) => {
    const value = options[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (value === true) {
      return 'true';
    }
    if (Array.isArray(value)) {
      return value.join('\n');
    }
    const text = typeof value === 'string' ? value : '';
    return name === 'registries' ? fromFile(name, text) : text;
  };
}

function fromFile(name: string, text: string): string {
  if (text !== '-' && !text.startsWith('@')) {
    return text;
  }
  const path = text === '-' ? 0 : text.slice(1);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`${name}: cannot read ${text}: ${errorMessage(error)}`);
  }
}
