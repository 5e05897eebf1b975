import { writeFile } from 'node:fs/promises';

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

  /** For programs: `[{ "name", "at" }, ...]`, as the summary's table shows it. */
  async save(path: string): Promise<void> {
    await writeFile(path, `${JSON.stringify(this.#moments, undefined, 2)}\n`);
  }
}

/** "12.34 s" */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
