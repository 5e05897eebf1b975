/** What is run, in this order: a fresh cluster each, until the deadline. */
export const AREAS: Readonly<Record<string, { deadlineMinutes: number }>> = {
  network: { deadlineMinutes: 60 },
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

/** A regular expression of Go for the conformance tests of an area. */
export const focusOf = (area: string) => `\\[sig-${area}\\].*\\[Conformance\\]`;

export const areaOf = (test: string) => /^\[sig-([^\]]+)\]/.exec(test)?.[1] ?? '';
