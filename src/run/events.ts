import type { Plan } from '../plan/plan.ts';
import type { Facts } from '../sandbox/facts.ts';
import type { Narrator } from '../supply/supply.ts';
import type { Moment } from './timeline.ts';

/** What a run tells of itself, as it happens; the log, the action and the summary listen. */
export interface RunEvents extends Narrator {
  facts(facts: Facts): void;
  plan(plan: Plan): void;
  reached(moment: Moment): void;
}
