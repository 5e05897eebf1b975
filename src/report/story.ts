import type { Facts } from '../sandbox/facts.ts';
import type { Plan } from '../plan/plan.ts';
import type { Failure, Listener, Reach } from '../run/events.ts';
import type { Moment } from '../run/timeline.ts';

/** All that a run has told so far, whether it came to its end or not. */
export interface Story {
  readonly facts?: Facts;
  readonly plan?: Plan;
  readonly reach?: Reach;
  readonly isReady: boolean;
  readonly failure?: Failure;
  readonly moments: readonly Moment[];
}

/** Listens, and remembers. */
export class Storyteller implements Listener {
  #story: Story = { isReady: false, moments: [] };

  get story(): Story {
    return this.#story;
  }

  readonly facts = (facts: Facts): void => {
    this.#story = { ...this.#story, facts };
  };

  readonly plan = (plan: Plan): void => {
    this.#story = { ...this.#story, plan };
  };

  readonly kubeconfig = (reach: Reach): void => {
    this.#story = { ...this.#story, reach };
  };

  readonly ready = (reach: Reach): void => {
    this.#story = { ...this.#story, reach, isReady: true };
  };

  readonly failed = (failure: Failure): void => {
    this.#story = { ...this.#story, failure };
  };

  readonly reached = (moment: Moment): void => {
    this.#story = { ...this.#story, moments: [...this.#story.moments, moment] };
  };
}
