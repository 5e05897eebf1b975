import { InputError } from '../errors.ts';
import type { Forced } from '../inputs/workarounds.ts';
import type { Isolation, Mode } from '../mode.ts';
import { WORKAROUNDS } from './parts/index.ts';
import type { Context, Where, Workaround } from './part.ts';

/** Whether a part is in the plan, and why or why not. */
export interface Decision {
  readonly id: string;
  readonly reason: string | undefined;
  /** What the user left out though it is needed here, and what is seen without it. */
  readonly leftOut?: string | undefined;
}

interface Place {
  readonly mode: Mode;
  readonly isolation: Isolation;
}

/** What is wrong with what is forced, by itself: asked before anything is made. @throws InputError */
export function assertKnown(forced: Forced): void {
  const unknown = [...forced.keys()].filter((id) => !WORKAROUNDS.some((part) => part.id === id));
  if (unknown.length > 0) {
    throw new InputError(
      `workarounds: there is no ${unknown.join(', no ')}; choose of ${WORKAROUNDS.map(({ id }) => id).join(', ')}`,
    );
  }
  const vital = WORKAROUNDS.find(
    ({ id, kind }) => kind === 'foundation' && forced.get(id) === false,
  );
  if (vital !== undefined) {
    throw new InputError(
      `workarounds: ${vital.id} cannot be left out, the rest of the plan stands on it; without it: ${vital.symptom}`,
    );
  }
}

/** What is forced on must have a place in what runs here. @throws InputError */
export function assertForced(forced: Forced, place: Place): void {
  const lost = WORKAROUNDS.find(({ id, where }) => forced.get(id) === true && !fits(where, place));
  if (lost !== undefined) {
    throw new InputError(
      `workarounds: ${lost.id} has no place here: it is for ${describe(lost.where)}; what can be had here is mode ${place.mode}, ${ISOLATIONS[place.isolation]}`,
    );
  }
}

export function decide(part: Workaround, context: Context, forced: Forced): Decision {
  const { id, symptom, where } = part;
  const needed = fits(where, context) ? part.needed(context) : undefined;
  if (forced.get(id) === true) {
    return { id, reason: needed ?? 'the input workarounds asks for it' };
  }
  return forced.get(id) === false && needed !== undefined
    ? {
        id,
        reason: undefined,
        leftOut: `${id} is left out by the input workarounds (${needed}); what is seen without it: ${symptom}`,
      }
    : { id, reason: needed };
}

const ISOLATIONS: Readonly<Record<Isolation, string>> = {
  namespaces: 'in namespaces of its own',
  none: "among the runner's own files",
};

/** For what runs a part is, in words. */
export function describe({ isolation, modes }: Where): string {
  const where = isolation === undefined ? '' : ` ${ISOLATIONS[isolation]}`;
  return `${modes === undefined ? 'every run' : `runs of mode ${modes.join(' or ')}`}${where}`;
}

function fits({ isolation, modes }: Where, place: Place): boolean {
  return (
    (isolation === undefined || isolation === place.isolation) &&
    (modes === undefined || modes.includes(place.mode))
  );
}
