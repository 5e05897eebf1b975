import { areaOf } from './areas.ts';
import type { Outcome, SpecResult } from './ginkgo.ts';
import type { Reason } from './reasons.ts';

/** What was found of one version of Kubernetes: test/conformance/results.json. */
export interface Results {
  kubernetes: string;
  results: readonly Result[];
}

export interface Result {
  test: string;
  result: Outcome;
  /** Why it did not pass; empty where it did. */
  reason: string;
}

const UNEXPLAINED = 'unexplained';

export function explain(
  { test, outcome, message }: SpecResult,
  reasonOf: (test: string) => Reason | undefined,
): Result {
  if (outcome === 'passed') return { test, result: outcome, reason: '' };
  if (outcome === 'not run') return { test, result: outcome, reason: 'the deadline came first' };
  const known = reasonOf(test);
  const said = message.split('\n')[0] ?? '';
  return {
    test,
    result: outcome,
    reason: known ? `${known.cause}: ${known.reason}` : `${UNEXPLAINED}: ${said}`,
  };
}

/** What somebody has to look at: failures nobody has explained, and explanations that do not hold. */
export function complaints(
  results: readonly Result[],
  reasonOf: (test: string) => Reason | undefined,
): string[] {
  return results.flatMap(({ test, result, reason }) => {
    if (result === 'failed' && reason.startsWith(UNEXPLAINED)) return [`${test}: ${reason}`];
    const expected = result === 'passed' ? reasonOf(test) : undefined;
    return expected ? [`${test}: passes, though reasons.ts says "${expected.reason}"`] : [];
  });
}

/** The new results in place of those of the same areas, by name; none are kept of another version. */
export function merge(before: Results, now: Results): Results {
  const areas = new Set(now.results.map(({ test }) => areaOf(test)));
  const kept = before.kubernetes === now.kubernetes ? before.results : [];
  return {
    kubernetes: now.kubernetes,
    results: [...kept.filter(({ test }) => !areas.has(areaOf(test))), ...now.results].sort(
      (a, b) => (a.test < b.test ? -1 : 1),
    ),
  };
}
