import type { InstalledK3s } from '../k3s/install.ts';
import type { Plan } from '../plan/plan.ts';
import type { Facts } from '../sandbox/facts.ts';
import type { Narrator } from '../supply/supply.ts';
import type { Examination } from './examine.ts';
import type { Moment } from './timeline.ts';

/** How later steps reach the cluster. */
export interface Reach {
  readonly kubeconfig: string;
  readonly context: string;
  /** The API server's address. */
  readonly server: string;
  readonly k3s: InstalledK3s;
  readonly plan: Plan;
}

/** What is not there yet, and what was seen of it last. */
export interface Wait {
  readonly rung: string;
  readonly last: string;
}

/** Why a start failed, and all that could be found out about it. */
export interface Failure extends Examination {
  readonly message: string;
  /** What was waited for. */
  readonly rung: string | undefined;
}

/** How a run was found at its end. */
export interface Ended extends Examination {
  /** `unused`: it never became ready, and whatever the reason was has been told. */
  readonly how: 'running' | 'ended' | 'unused';
  /** Processes that ended by themselves, and how. */
  readonly exits: readonly string[];
  /** What a reader must know, in one line; undefined where all was well. */
  readonly warning: string | undefined;
}

/** What a run tells of itself, as it happens; the log, the action and the summary listen. */
export interface RunEvents extends Narrator {
  facts(facts: Facts): void;
  plan(plan: Plan): void;
  reached(moment: Moment): void;
  waiting(wait: Wait): void;
  /** The API server answers: the cluster can be asked, though it may not be ready. */
  kubeconfig(reach: Reach): void;
  ready(reach: Reach): void;
  failed(failure: Failure): void;
  ended(ended: Ended): void;
}

export type Listener = Partial<RunEvents>;

const NAMES: readonly (keyof RunEvents)[] = [
  ...(['info', 'notice', 'warning', 'facts', 'plan', 'reached', 'waiting'] as const),
  ...(['kubeconfig', 'ready', 'failed', 'ended'] as const),
];

/** Tells each listener, in their order. */
export function tellAll(...listeners: readonly Listener[]): RunEvents {
  const tell =
    (name: keyof RunEvents) =>
    (what: never): void => {
      for (const listener of listeners) {
        listener[name]?.(what);
      }
    };
  return Object.fromEntries(NAMES.map((name) => [name, tell(name)])) as unknown as RunEvents;
}
