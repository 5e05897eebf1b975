import { describe, expect, it } from 'vitest';

import { parseReport } from '../../conformance/ginkgo.ts';
import { complaints, explain, merge, type Result } from '../../conformance/results.ts';

const known = { pattern: /UDP/, cause: 'gVisor', reason: 'it has none' } as const;
const reasonOf = (test: string) => (known.pattern.test(test) ? known : undefined);
const spec = { seconds: 1, message: 'timed out\nstack' };

describe('parseReport', () => {
  const report = JSON.stringify([
    {
      SpecReports: [
        ['It', 'passed'],
        ['It', 'skipped'],
        ['It', 'failed'],
        ['It', 'interrupted'],
        ['BeforeSuite', 'passed'],
      ].map(([LeafNodeType, State], index) => ({
        ContainerHierarchyTexts: ['[sig-node] Pods'],
        LeafNodeType,
        LeafNodeText: `test ${index} [Conformance]`,
        LeafNodeLabels: null,
        State,
        RunTime: 2e9,
        ...(State === 'failed' ? { Failure: { Message: 'why' } } : {}),
      })),
    },
  ]);

  it('keeps the tests that were run, by full name', () => {
    expect(parseReport(report, () => true)).toEqual([
      { test: '[sig-node] Pods test 0 [Conformance]', outcome: 'passed', seconds: 2, message: '' },
      {
        test: '[sig-node] Pods test 2 [Conformance]',
        outcome: 'failed',
        seconds: 2,
        message: 'why',
      },
      { test: '[sig-node] Pods test 3 [Conformance]', outcome: 'not run', seconds: 2, message: '' },
    ]);
  });

  it('leaves out what does not belong', () => {
    expect(parseReport(report, (test) => test.includes('test 2'))).toHaveLength(1);
  });
});

describe('explain', () => {
  it.each([
    ['passed', 'a UDP test', ''],
    ['failed', 'a UDP test', 'gVisor: it has none'],
    ['failed', 'a TCP test', 'unexplained: timed out'],
    ['not run', 'a UDP test', 'the deadline came first'],
  ] as const)('%s: %s', (outcome, test, reason) => {
    expect(explain({ ...spec, test, outcome }, reasonOf)).toEqual({
      test,
      result: outcome,
      reason,
    });
  });
});

it('complains of failures without a reason and of reasons without a failure', () => {
  const results: Result[] = [
    { test: 'UDP', result: 'passed', reason: '' },
    { test: 'TCP', result: 'passed', reason: '' },
    { test: 'UDP too', result: 'failed', reason: 'gVisor: it has none' },
    { test: 'SCTP', result: 'failed', reason: 'unexplained: no' },
  ];
  expect(complaints(results, reasonOf)).toEqual([
    'UDP: passes, though reasons.ts says "it has none"',
    'SCTP: unexplained: no',
  ]);
});

it('replaces the results of the areas that were run, and keeps the others', () => {
  const result = (test: string): Result => ({ test, result: 'passed', reason: '' });
  const merged = merge(
    [result('[sig-node] old'), result('[sig-apps] kept')],
    [result('[sig-node] new')],
  );
  expect(merged.map(({ test }) => test)).toEqual(['[sig-apps] kept', '[sig-node] new']);
});
