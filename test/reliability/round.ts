import { setTimeout as after } from 'node:timers/promises';

import { IMAGES_PATH, K3S_PATH } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { RUNNER_FILES, RUNNER_TEMP, TOOL_CACHE, type Job } from '../e2e/support/job.ts';
import { initProcesses } from '../e2e/support/processes.ts';
import { snapshot, type Snapshot } from '../e2e/support/snapshot.ts';
import { VICTIMS, type Blow } from './blows.ts';

export interface Round {
  readonly blow: Blow;
  /** Somebody was there to be hit. */
  readonly hit: boolean;
  /** What main ended with. */
  readonly code: number;
  /** What main, or else the post step, said of it; empty where all went on. */
  readonly said: string;
  /** Seconds of the start after it. */
  readonly next: number;
  /** What a user would complain of. */
  readonly problems: readonly string[];
}

const INPUTS = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' };

/** The tool cache, a run's logs, the runner's own files: what may change. */
const DECLARED = [TOOL_CACHE, `${RUNNER_TEMP}/k3s-in-gvisor-*`, RUNNER_FILES];

export const stateOf = (sandbox: Sandbox): Promise<Snapshot> => snapshot(sandbox, DECLARED);

/** One run that is struck, the post step after it, and a run that is not, each of which must leave nothing. */
export async function round(
  sandbox: Sandbox,
  job: Job,
  blow: Blow,
  before: Snapshot,
): Promise<Round> {
  let striking: Promise<boolean> | undefined;
  const { code, log } = await job.main({
    inputs: INPUTS,
    onLine: (line) => {
      if (line.endsWith(` s  ${blow.rung}`)) striking ??= strike(sandbox, job, blow);
    },
  });
  const hit = (await striking) ?? false;
  const post = await job.post();
  const said = [...`${log}\n${post.log}`.matchAll(/^::(?:error|warning)::(.*)$/gm)];
  const problems = [...ended(post), ...differences(before, await stateOf(sandbox))];
  if (striking === undefined) problems.push(`main never reached "${blow.rung}"`);
  // Whoever is killed cannot speak; of everybody else's death main tells.
  const mute = blow.victim === 'main' || blow.victim === 'the whole process group';
  if (code !== 0 && !mute && said.length === 0) problems.push(`main ended with ${code}, silent`);

  const begin = performance.now();
  const again = await job.main({ inputs: INPUTS });
  const next = (performance.now() - begin) / 1_000;
  if (again.code !== 0) problems.push(`the next start ended with ${again.code}:\n${again.log}`);
  problems.push(...ended(await job.post()), ...differences(before, await stateOf(sandbox)));
  return { blow, hit, code, said: said[0]?.[1] ?? '', next, problems };
}

/** @returns whether there was somebody to be hit */
async function strike(sandbox: Sandbox, job: Job, blow: Blow): Promise<boolean> {
  await after(blow.after);
  switch (blow.victim) {
    case 'main':
      return await signals(sandbox, ['sh', '-c', KILL_MAIN, 'sh', blow.signal, '']);
    case 'the whole process group':
      return await signals(sandbox, ['sh', '-c', KILL_MAIN, 'sh', blow.signal, '-']);
    case "init's parent":
    case "init's child": {
      const [parent = '', child = ''] = await initProcesses(sandbox);
      const pid = blow.victim === "init's parent" ? parent : child;
      return pid !== '' && (await signals(sandbox, ['kill', '-s', blow.signal, pid]));
    }
    default: {
      // It may be about to begin. Not as an argument: `pkill --full` would find its own shell by it.
      const hunt = 'until pkill "-$SIGNAL" --full "$PATTERN"; do sleep 0.01; done';
      const env = { SIGNAL: blow.signal, PATTERN: VICTIMS[blow.victim].source };
      return await signals(sandbox, ['timeout', '5', 'sh', '-c', hunt], env);
    }
  }
}

/** Main's process id is in a file; with a minus before it, it is that of its group. */
const KILL_MAIN = `kill -s "$1" -- "$2$(cat ${RUNNER_FILES}/pid)"`;

async function signals(
  sandbox: Sandbox,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  return (await sandbox.exec(argv, { env })).code === 0;
}

function ended({ code, log }: { readonly code: number; readonly log: string }): string[] {
  const well = code === 0 && /^(Stopped; the logs are in|Nothing to stop in) /m.test(log);
  return well ? [] : [`post ended with ${code}:\n${log}`];
}

/** What is there now and was not, and what was there and is not. */
function differences(before: Snapshot, now: Snapshot): string[] {
  const kinds = Object.keys(before) as (keyof Snapshot)[];
  return kinds.flatMap((kind) => {
    const [was, is] = [new Set(before[kind]), new Set(now[kind])];
    return [
      ...now[kind].filter((line) => !was.has(line)).map((line) => `left, of ${kind}: ${line}`),
      ...before[kind].filter((line) => !is.has(line)).map((line) => `lost, of ${kind}: ${line}`),
    ];
  });
}
