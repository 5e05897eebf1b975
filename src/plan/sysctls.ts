import { WORKAROUNDS } from './parts/index.ts';

/** Paths below /proc/sys by which the plan decides, for the probes. */
export const PLANNED_SYSCTLS: readonly string[] = WORKAROUNDS.flatMap(
  ({ sysctls }) => sysctls ?? [],
);
