import type { Churn } from './churn.ts';
import type { Round } from './round.ts';
import type { Starts } from './starts.ts';

/** Where and when a report was made. */
export interface Made {
  /** YYYY-MM-DD */
  readonly on: string;
  readonly kubernetes: string;
  readonly cores: number;
  readonly memoryGiB: number;
}

export interface Reports {
  readonly kill: { readonly seed: number; readonly rounds: readonly Round[] };
  readonly soak: { readonly starts: Starts; readonly churn: Churn };
  readonly density: Density;
}

/** What was found, each by the last run of its command: test/reliability/results.json. */
export type Results = { readonly [K in keyof Reports]?: Reports[K] & { readonly made: Made } };

export interface Density {
  /** After each step: pods that are Ready, MiB of all processes of the sandbox, seconds the step took. */
  readonly steps: readonly { readonly pods: number; readonly mib: number; readonly s: number }[];
  /** What ended it; empty where nothing did. */
  readonly gave: string;
}
