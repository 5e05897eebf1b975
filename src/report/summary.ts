import type { Started } from '../run/start.ts';
import { seconds } from '../run/timeline.ts';

/** The job summary, in Markdown: what runs, what was worked around and why, where the time went. */
export function renderSummary({ plan, k3s, server, timeline, facts }: Started): string {
  const rows = timeline.moments.map(({ name, at }, index, all) => [
    name,
    seconds(at - (all[index - 1]?.at ?? 0)),
    seconds(at),
  ]);
  const probes = Object.entries(facts.probes).map(([name, { result, evidence }]) => [
    name,
    result,
    evidence,
  ]);
  return [
    `### k3s ${k3s.version} in gVisor: mode ${plan.mode}`,
    `Node \`${plan.nodeName}\`, API server \`${server}\`.`,
    ...plan.fellShort.map(({ mode, obstacles }) => `Not **${mode}**: ${obstacles.join('; ')}.`),
    table(['reached', 'took', 'at'], rows),
    details(
      'Workarounds',
      table(
        ['workaround', 'why'],
        plan.decisions.map(({ id, reason }) => [id, reason ?? 'not needed']),
      ),
    ),
    details('Facts', table(['probe', 'result', 'evidence'], probes)),
    '',
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function details(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}
