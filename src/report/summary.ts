import { renderDiagnosis } from '../cluster/diagnose.ts';
import type { Failure, Reach } from '../run/events.ts';
import { seconds } from '../run/timeline.ts';
import type { DocsLink } from './docs.ts';
import { drawTimeline } from './picture.ts';
import type { Story } from './story.ts';

export interface SummaryOptions {
  readonly story: Story;
  /** The directory of the logs, and of the bundle. */
  readonly logs: string;
  readonly bundle: string;
  readonly docs: DocsLink;
}

/**
 * The job summary, in Markdown, of whatever is known: what to do next comes first, then where the time went,
 * and last what was found and done.
 */
export function renderSummary({ story, logs, bundle, docs }: SummaryOptions): string {
  const { facts, plan, reach, isReady, failure, moments } = story;
  const total = seconds(moments.at(-1)?.at ?? 0);
  const k3s = reach === undefined ? 'k3s' : `k3s ${reach.k3s.version}`;
  const title = isReady
    ? `### ${k3s} in gVisor: ready after ${total}, mode ${reach?.plan.mode ?? ''}`
    : `### ${k3s} in gVisor: failed after ${total}`;
  return [
    title,
    ...(failure === undefined ? [] : explain(failure, docs)),
    ...(reach === undefined ? [] : [nextSteps(reach, isReady)]),
    `Logs: \`${logs}\`${failure === undefined ? '' : `; all of it without secrets, to be uploaded: \`${bundle}\``}`,
    ...(plan?.fellShort ?? []).map(
      ({ mode, obstacles }) => `Not **${mode}**: ${obstacles.join('; ')}.`,
    ),
    ...(moments.length === 0 ? [] : [fence(drawTimeline(moments))]),
    ...(plan === undefined
      ? []
      : [
          details(
            'Workarounds',
            table(
              ['workaround', 'why'],
              plan.decisions.map(({ id, reason, leftOut }) => [
                id,
                reason ?? leftOut ?? 'not needed',
              ]),
            ),
          ),
        ]),
    ...(facts === undefined
      ? []
      : [
          details(
            'Facts',
            table(
              ['probe', 'result', 'evidence'],
              Object.entries(facts.probes).map(([name, { result, evidence }]) => [
                name,
                result,
                evidence,
              ]),
            ),
          ),
        ]),
    '',
  ].join('\n\n');
}

function nextSteps({ kubeconfig, server, context, plan }: Reach, isReady: boolean): string {
  const ports =
    plan.isolation === 'namespaces' && plan.mode === 'full'
      ? [
          '- `k3s-in-gvisor` is on the PATH as well: `logs`, `load`, `exec`, `status`, `bundle`.',
          "- Node ports and ports of LoadBalancers are at `127.0.0.1` for the job's steps; `kubectl port-forward` works as well.",
        ]
      : [];
  const node = plan.mode === 'control-plane' ? [] : [`- Node \`${plan.nodeName}\`.`];
  return [
    isReady
      ? '**Next:** `kubectl` and `helm` of the following steps use this cluster.'
      : '**Next:** the API server answers, so steps with `if: failure()` can ask it.',
    `- Context \`${context}\` of \`KUBECONFIG\` = \`${kubeconfig}\`; API server \`${server}\`.`,
    ...ports,
    ...node,
  ].join('\n');
}

function explain({ message, causes, diagnosis, rung }: Failure, docs: DocsLink): string[] {
  const cluster = renderDiagnosis(diagnosis);
  const [headline = '', ...more] = message.split('\n');
  return [
    ...(rung === undefined ? [] : [`While waiting for **${rung}**:`]),
    fence([headline, ...more]),
    ...causes.map(
      ({ heading, cause, fix, evidence }) =>
        `**${cause}** ${fix} ([more](${docs(heading)}))\n\n${fence([evidence])}`,
    ),
    ...(cluster.length === 0 ? [] : ['What the cluster says:', fence(cluster)]),
  ];
}

function fence(lines: readonly string[]): string {
  // A text may hold a fence of its own.
  return ['````text', ...lines, '````'].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function details(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}
