/** How a test of the suite ended: `not run` when the deadline came first. */
export type Outcome = 'passed' | 'failed' | 'not run';

export interface SpecResult {
  test: string;
  outcome: Outcome;
  seconds: number;
  /** What it failed with; empty unless it failed. */
  message: string;
}

/** The parts of a ginkgo report (`--json-report`) that matter here. */
interface Suite {
  SpecReports: {
    ContainerHierarchyTexts: string[] | null;
    LeafNodeType: string;
    LeafNodeText: string;
    LeafNodeLabels: string[] | null;
    State: string;
    NumAttempts: number;
    /** ns */
    RunTime: number;
    Failure?: { Message: string };
  }[];
}

/** States of a test that ended on its own; https://pkg.go.dev/github.com/onsi/ginkgo/v2/types#SpecState */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  passed: 'passed',
  failed: 'failed',
  panicked: 'failed',
  aborted: 'failed',
};

/**
 * The tests that the focus asked for, in a report. Those that skip themselves are left out: they say
 * that the cluster is none they are meant for. What a deadline cuts off is "skipped" as well, but was
 * never attempted.
 */
export function parseReport(json: string, focus: RegExp): SpecResult[] {
  const suites = JSON.parse(json) as Suite[];
  return suites
    .flatMap(({ SpecReports }) => SpecReports)
    .filter(({ LeafNodeType }) => LeafNodeType === 'It')
    .filter(({ State, NumAttempts }) => State !== 'skipped' || NumAttempts === 0)
    .map((spec) => ({
      test: [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' '),
      outcome: OUTCOMES[spec.State] ?? 'not run',
      seconds: spec.RunTime / 1e9,
      message: spec.Failure?.Message ?? '',
    }))
    .filter(({ test }) => focus.test(test));
}
