import type { Wait } from './events.ts';

/** How long nothing is said of a wait, and then between two lines of it. */
const EVERY_MS = 5_000;

/** Says what is waited for: not at once, seldom, and only when it is something new. */
export class Waiting {
  readonly #say: (wait: Wait) => void;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;
  #seen: Wait | undefined;
  #said: Wait | undefined;

  constructor(say: (wait: Wait) => void, everyMs = EVERY_MS) {
    this.#say = say;
    this.#everyMs = everyMs;
  }

  see(wait: Wait): void {
    this.#seen = wait;
    this.#timer ??= setInterval(() => {
      this.#tell();
    }, this.#everyMs);
  }

  /** Nothing is waited for any more, or something else is. */
  done(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#seen = undefined;
  }

  #tell(): void {
    const { rung, last } = this.#seen ?? {};
    if (rung === undefined || last === undefined) {
      return;
    }
    if (rung !== this.#said?.rung || last !== this.#said.last) {
      this.#said = { rung, last };
      this.#say(this.#said);
    }
  }
}
