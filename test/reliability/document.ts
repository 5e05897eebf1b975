import { COUNTED, type Counted } from './counts.ts';
import { drawPlots, type Plot } from './plot.ts';
import type { Made, Results } from './reports.ts';
import type { Round } from './round.ts';

/** docs/reliability.md */
export function renderReliability({ kill, soak, density }: Results): string {
  return [
    '# Reliability',
    '',
    'What happens when a cluster lives long, is killed, or is filled. Each part is written by its command, in a',
    "gVisor sandbox of profile stock, with the tests' stand-in for k3s.",
    '',
    ...(kill ? killed(kill.rounds, kill.seed, kill.made) : []),
    ...(soak ? soaked(soak) : []),
    ...(density ? filled(density) : []),
  ].join('\n');
}

/** By the name of the file in docs/plots. */
export function plots({ soak, density }: Results): Record<string, string> {
  const samples = soak?.churn.samples ?? [];
  const drawn = Object.entries(COUNTED).map(([name, unit]): Plot => ({
    title: name,
    unit,
    points: samples.map(({ minute, values }) => [minute, values[name as Counted]]),
  }));
  const memory = (density?.steps ?? []).map(({ pods, mib }) => [pods, mib] as const);
  return {
    ...(samples.length > 0 && { 'soak.svg': drawPlots(drawn, 'min') }),
    ...(memory.length > 0 && {
      'density.svg': drawPlots(
        [{ title: 'resident, MiB, by pods', unit: 'MiB', points: memory }],
        'pods',
      ),
    }),
  };
}

const madeLine = ({ on, kubernetes, cores, memoryGiB }: Made, command: string): string =>
  `\`${command}\`, ${on}, Kubernetes ${kubernetes}, ${cores} cores, ${memoryGiB} GiB.`;

function killed(rounds: readonly Round[], seed: number, made: Made): string[] {
  const byVictim = Map.groupBy(rounds, ({ blow }) => blow.victim);
  const rows = [...byVictim].map(([victim, of]) => {
    const went = of.filter(({ code }) => code === 0).length;
    const bad = of.filter(({ problems }) => problems.length > 0).length;
    const hit = of.filter((round) => round.hit).length;
    return `| ${victim} | ${of.length} | ${hit} | ${went} | ${of.length - went} | ${bad} |`;
  });
  const next = rounds.map((round) => round.next).sort((a, b) => a - b);
  const problems = rounds.flatMap(({ problems }) => problems);
  return [
    '## Killed',
    '',
    madeLine(made, `RUNS=${rounds.length} SEED=${seed} make kill`),
    '',
    'One process is killed at a random moment of the start; then the post step runs, and everything of the',
    'sandbox (processes, mounts, links, routes, listeners, namespaces, cgroups, files) is compared with what was',
    'there before the first run; then a whole run, and the same comparison. A start may go on, where the part is',
    'started again, or end with an error that names the cause; bad is one that left something, lost something,',
    'said nothing, or kept the next start from being good.',
    '',
    '| victim | runs | it was there | start went on | start ended | bad |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `The start after it took ${(next[Math.floor(next.length / 2)] ?? 0).toFixed(1)} s (median), ${(next.at(-1) ?? 0).toFixed(1)} s at most.`,
    '',
    ...problems.map((problem) => `- ${problem.split('\n')[0] ?? ''}`),
    ...(problems.length > 0 ? [''] : []),
  ];
}

function soaked({ starts, churn, made }: NonNullable<Results['soak']>): string[] {
  const [first, last] = [churn.samples[0], churn.samples.at(-1)];
  const seconds = starts.seconds.toSorted((a, b) => a - b);
  const rows = (Object.keys(COUNTED) as Counted[]).map((name) => {
    const all = churn.samples.map(({ values }) => values[name]);
    const cells = [first?.values[name], last?.values[name], Math.min(...all), Math.max(...all)];
    return `| ${name} | ${cells.map((cell) => figure(cell ?? 0)).join(' | ')} |`;
  });
  const minutes = Math.round(last?.minute ?? 0);
  return [
    '## Soaked',
    '',
    madeLine(made, `STARTS=${starts.seconds.length} MINUTES=${minutes} make soak`),
    '',
    `${starts.seconds.length} starts and stops in a row in one sandbox: ${figure(seconds[0] ?? 0)} to ${figure(seconds.at(-1) ?? 0)} s, and ${starts.leftovers.length} things left behind.`,
    '',
    `Then one cluster for ${minutes} minutes: ${churn.samples.length} times a chart was installed, scaled, tested, upgraded, rolled back and uninstalled, with a Job beside it; ${churn.pods} pods in all. What the cluster had after each time:`,
    '',
    '| | first | last | least | most |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    '![The same over time](plots/soak.svg)',
    '',
  ];
}

function filled({ steps, gave, made }: NonNullable<Results['density']>): string[] {
  const last = steps.at(-1);
  return [
    '## Filled',
    '',
    madeLine(made, 'make density'),
    '',
    `Pause pods on one node: ${last?.pods ?? 0} were Ready, with ${figure(last?.mib ?? 0)} MiB resident in the whole sandbox.`,
    gave === '' ? 'Nothing gave.' : `Then, within three minutes, no more were: \`${gave}\``,
    '',
    '![Memory](plots/density.svg)',
    '',
  ];
}

const figure = (value: number): string =>
  value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
