/** What `doctor --json` found in one sandbox. */
export interface Finding {
  readonly mode?: string;
  readonly fellShort: readonly { readonly mode: string; readonly obstacles: readonly string[] }[];
}

/** The table in Markdown: a row a runner, a column a sandbox; what falls short has its first reason below. */
export function renderTable(
  runners: readonly string[],
  sandboxes: readonly string[],
  finding: (runner: string, sandbox: string) => Finding,
): string {
  const reasons: string[] = [];
  const cell = ({ mode, fellShort }: Finding): string => {
    if (mode === 'full') return 'full';
    const reason = withoutAdvice(fellShort[0]?.obstacles[0] ?? '');
    if (!reasons.includes(reason)) reasons.push(reason);
    return `${mode ?? 'nothing'} (${reasons.indexOf(reason) + 1})`;
  };
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = runners.map((runner) =>
    row([runner, ...sandboxes.map((sandbox) => cell(finding(runner, sandbox)))]),
  );
  return [
    row(['the runner', ...sandboxes]),
    row(['---', ...sandboxes.map(() => '---')]),
    ...rows,
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
  ].join('\n');
}

/** What was tried and what came back; the lines to add are in the text around the table. */
function withoutAdvice(obstacle: string): string {
  const [tried = obstacle] = obstacle.split('; ');
  const cut = tried.includes('(') && !tried.endsWith(')');
  return `${tried}${cut ? ')' : ''}`.replaceAll('|', '\\|');
}
