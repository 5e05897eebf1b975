import type { Action } from './action.ts';
import type { Figure } from './figure.ts';

export interface Order {
  /** Which figures somebody asked for. */
  wanted: (name: string) => boolean;
  rounds: number;
  /** To be called with figures as soon as they are there: the next ones may fail. */
  report: (figures: readonly Figure[]) => Promise<void>;
}

/** Figures that are measured together. */
export interface Group {
  figures: readonly string[];
  measure(order: Order): Promise<void>;
}

/** Figures of a cluster that runs in a stock sandbox; the groups share it, one after the other. */
export interface ClusterGroup {
  figures: readonly string[];
  measure(cluster: Action, order: Order): Promise<void>;
}

/** Where the programs of inside/ are in the sandbox, and for pods. */
export const BENCH_PATH = '/opt/bench';
