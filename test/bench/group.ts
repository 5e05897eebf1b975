import type { Action } from './action.ts';
import type { Figure } from './figure.ts';

/** Figures that are measured together; `wanted` says which of them somebody asked for. */
export interface Group {
  figures: readonly string[];
  measure(wanted: (name: string) => boolean, rounds: number): Promise<Figure[]>;
}

/** Figures of a cluster that is up in a stock sandbox; measured one group after the other. */
export interface ClusterGroup {
  figures: readonly string[];
  measure(cluster: Action, wanted: (name: string) => boolean, rounds: number): Promise<Figure[]>;
}
