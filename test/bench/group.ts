import type { Action } from './action.ts';
import type { Figure } from './figure.ts';

/** Figures that are measured together; `wanted` says which of them somebody asked for. */
export interface Group {
  figures: readonly string[];
  measure(wanted: (name: string) => boolean, rounds: number): Promise<Figure[]>;
}

/** Figures of a cluster that runs in a stock sandbox; the groups share it, one after the other. */
export interface ClusterGroup {
  figures: readonly string[];
  measure(cluster: Action, wanted: (name: string) => boolean, rounds: number): Promise<Figure[]>;
}

/** Where the programs of inside/ are in the sandbox, and for pods. */
export const BENCH_PATH = '/opt/bench';
