import { areaOf } from './areas.ts';
import type { Outcome } from './ginkgo.ts';
import type { Result, Results } from './results.ts';

/** docs/conformance.md. */
export function renderConformance({ kubernetes, results }: Results): string {
  const areas = Map.groupBy(results, ({ test }) => areaOf(test));
  const count = (list: readonly Result[], outcome: Outcome) =>
    String(list.filter(({ result }) => result === outcome).length);
  const rows = [...areas].map(([area, list]) =>
    [`sig-${area}`, count(list, 'passed'), count(list, 'failed'), count(list, 'not run')].join(
      ' | ',
    ),
  );
  const reasons = Map.groupBy(
    results.filter(({ result }) => result !== 'passed'),
    ({ reason }) => reason,
  );
  return [
    '# Conformance',
    '',
    'The `[Conformance]` tests of upstream Kubernetes, and those of NetworkPolicy, run by `make',
    'conformance` against the cluster the action makes in a gVisor sandbox of profile stock. The file is',
    'written by that command.',
    '',
    `Kubernetes ${kubernetes}, the testbed's stand-in for k3s. Tests that skip themselves are left out.`,
    '',
    '| area | passed | failed | not run |',
    '| --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
    '',
    ...(reasons.size > 0 ? ['## What does not pass, and why', ''] : []),
    ...[...reasons].flatMap(([reason, list]) => [
      `**${escape(reason)}**`,
      '',
      ...list.map(({ test }) => `- ${escape(test)}`),
      '',
    ]),
    '## What passes',
    '',
    ...[...areas].flatMap(([area, list]) => [
      `### sig-${area}`,
      '',
      ...list
        .filter(({ result }) => result === 'passed')
        .map(({ test }) => `- ${escape(test.replace(/^\[[^\]]+\] /, ''))}`),
      '',
    ]),
  ].join('\n');
}

/** What Markdown would take for its own: links, HTML, emphasis. */
const escape = (text: string) => text.replace(/[[\]<>*_`]/g, '\\$&');
