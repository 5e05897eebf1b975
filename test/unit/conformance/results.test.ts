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
        ['It', 'passed', 1],
        ['It', 'skipped', 1],
        ['It', 'failed', 1],
        ['It', 'interrupted', 1],
        ['BeforeSuite', 'passed', 1],
        ['It', 'skipped', 0],
      ].map(([LeafNodeType, State, NumAttempts], index) => ({
        ContainerHierarchyTexts: ['[sig-node] Pods'],
        LeafNodeType,
        LeafNodeText: `test ${index} [Conformance]`,
        LeafNodeLabels: null,
        State,
        NumAttempts,
        RunTime: 2e9,
        ...(State === 'failed' ? { Failure: { Message: 'why' } } : {}),
      })),
    },
  ]);

  it('keeps the tests that were asked for, by full name, but those that skip themselves', () => {
    expect(parseReport(report, /./)).toEqual([
      { test: '[sig-node] Pods test 0 [Conformance]', outcome: 'passed', seconds: 2, message: '' },
      {
        test: '[sig-node] Pods test 2 [Conformance]',
        outcome: 'failed',
        seconds: 2,
        message: 'why',
      },
      { test: '[sig-node] Pods test 3 [Conformance]', outcome: 'not run', seconds: 2, message: '' },
      { test: '[sig-node] Pods test 5 [Conformance]', outcome: 'not run', seconds: 2, message: '' },
    ]);
  });

  it('leaves out what was not asked for', () => {
    expect(parseReport(report, /test 2/)).toHaveLength(1);
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

describe('merge', () => {
  const result = (test: string): Result => ({ test, result: 'passed', reason: '' });
  const before = {
    kubernetes: '1.34.4',
    results: [result('[sig-node] old'), result('[sig-apps] kept')],
  };

  it.each([
    ['1.34.4', ['[sig-apps] kept', '[sig-node] new']],
    ['1.34.5', ['[sig-node] new']],
  ])(
    'replaces the areas that were run, and keeps others of the same version: %s',
    (kubernetes, tests) => {
      const merged = merge(before, { kubernetes, results: [result('[sig-node] new')] });
      expect(merged.kubernetes).toBe(kubernetes);
      expect(merged.results.map(({ test }) => test)).toEqual(tests);
    },
  );
});
