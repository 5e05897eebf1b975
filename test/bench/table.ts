import type { Figure } from './figure.ts';

/** The figures as a Markdown table: median ± spread, and the ratio to what it was measured against. */
export function renderTable(figures: readonly Figure[]): string {
  const head = ['figure', 'median', '±', 'unit', 'n', 'ratio', 'against'];
  const rows = figures.map(({ name, median, unit, n, spread, ratio, against }) => [
    ...[name, digits(median), digits(spread), unit, String(n)],
    ...[ratio === undefined ? '' : ratio.toFixed(2), against ?? ''],
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Three digits that mean something. */
const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
