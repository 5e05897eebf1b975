/** What was reached, and when: milliseconds since the run began. */
export interface Moment {
  readonly name: string;
  readonly at: number;
}

/** Where each second of the start went. */
export class Timeline {
  readonly #begin: number;
  readonly #moments: Moment[] = [];

  /** @param begin `performance.now()` of the beginning; the process's own start by default */
  constructor(begin = 0) {
    this.#begin = begin;
  }

  mark(name: string): Moment {
    const moment = { name, at: performance.now() - this.#begin };
    this.#moments.push(moment);
    return moment;
  }

  get moments(): readonly Moment[] {
    return this.#moments;
  }
}

/** "12.34 s" */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
