interface Area {
  readonly deadlineMinutes: number;
  /** For tests that are no conformance tests: what their names begin with, as a regular expression. */
  readonly begins?: string;
}

/** What is run, in this order: a fresh cluster each, until the deadline. */
export const AREAS: Readonly<Record<string, Area>> = {
  network: { deadlineMinutes: 60 },
  // All that is enforced by the network, less those that need SCTP.
  'network-policy': {
    deadlineMinutes: 90,
    begins: String.raw`\[sig-network\] Netpol (\[LinuxOnly\] )?NetworkPolicy`,
  },
  node: { deadlineMinutes: 90 },
  cli: { deadlineMinutes: 30 },
  apps: { deadlineMinutes: 60 },
  storage: { deadlineMinutes: 60 },
  'api-machinery': { deadlineMinutes: 60 },
  auth: { deadlineMinutes: 20 },
  instrumentation: { deadlineMinutes: 10 },
  scheduling: { deadlineMinutes: 30 },
  architecture: { deadlineMinutes: 10 },
};

/** A regular expression of Go for the tests of an area. */
export const focusOf = (area: string) =>
  AREAS[area]?.begins ?? `\\[sig-${area}\\].*\\[Conformance\\]`;

export function areaOf(test: string): string {
  const special = Object.entries(AREAS).find(
    ([, { begins }]) => begins !== undefined && new RegExp(`^${begins}`).test(test),
  );
  return special?.[0] ?? /^\[sig-([^\]]+)\]/.exec(test)?.[1] ?? '';
}
