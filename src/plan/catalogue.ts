import type { Workaround } from './part.ts';

/** docs/workarounds.md: a heading per workaround, its id as in the log and the summary. */
export function renderWorkarounds(workarounds: readonly Workaround[]): string {
  const sections = workarounds.map(({ id, symptom, source, removeWhen }) =>
    [
      `## ${id}`,
      '',
      `- **What is seen without it:** \`${symptom.replaceAll('`', "'")}\``,
      `- **Source:** ${source}`,
      `- **Can be removed when:** ${removeWhen}`,
      '',
    ].join('\n'),
  );
  return [
    '# Workarounds',
    '',
    'What is done to make k3s run in gVisor, each in its own file in `src/plan/parts`. The log of a run',
    'says which were needed, and why; those for containers act in `native/adapter/workarounds`. Written by `node scripts/document-workarounds.ts`.',
    '',
    ...sections,
  ].join('\n');
}
