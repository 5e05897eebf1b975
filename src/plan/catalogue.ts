import { describe } from './forced.ts';
import type { Workaround } from './part.ts';

/** docs/workarounds.md: a heading per workaround, its id as in the log and the summary. */
export function renderWorkarounds(workarounds: readonly Workaround[]): string {
  const sections = workarounds.map(({ id, kind, where, symptom, source, removeWhen }) =>
    [
      `## ${id}`,
      '',
      `- **Kind:** ${kind}, for ${describe(where)}`,
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
    'A foundation is what the others stand on; tuning is what things work without, but worse. The input',
    '`workarounds` forces one on (`+id`) or off (`-id`), should a probe be wrong; a foundation cannot be off.',
    '',
    ...sections,
  ].join('\n');
}
