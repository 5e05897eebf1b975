import { STATE, type Action } from '../bench/action.ts';

export interface Starts {
  /** Seconds from the start to the proven kubeconfig, in turn. */
  seconds: number[];
  /** What was there after a stop and not before the first start. */
  leftovers: string[];
}

/** Starts and stops a cluster so often, in one sandbox, and looks for what stays behind. */
export async function startAndStop(action: Action, count: number): Promise<Starts> {
  const seconds: number[] = [];
  const leftovers: string[] = [];
  // Logs and the tool cache are there to stay: what the first run makes is no leftover.
  await action.start();
  await action.stop();
  const before = new Set(await traces(action));
  for (let run = 1; run <= count; run++) {
    const stages = await action.start();
    await action.stop();
    seconds.push((stages.get('kubeconfig used') ?? NaN) / 1000);
    const found = (await traces(action)).filter((trace) => !before.has(trace));
    leftovers.push(...found.map((trace) => `run ${run}: ${trace}`));
    console.log(`start ${run}: ${String(seconds.at(-1)?.toFixed(1))} s, ${found.length} leftovers`);
  }
  return { seconds, leftovers };
}

/** Everything a run could leave: processes, mounts, links, cgroups, files outside of its logs. */
async function traces(action: Action): Promise<string[]> {
  const looks = [
    ['process', ['ps', '-eo', 'args=']],
    ['mount', ['cat', '/proc/mounts']],
    ['link', ['sed', 's/:.*//', '/proc/net/dev']],
    ['cgroup', ['find', '/sys/fs/cgroup', '-type', 'd']],
    ['file', ['find', '/', '-xdev', '-not', '-path', `${STATE}/logs/*`]],
  ] as const;
  const found = [];
  for (const [kind, argv] of looks) {
    const { stdout } = await action.step(argv);
    // What looks is there while it looks.
    const lines = stdout.split('\n').filter((line) => !line.includes(argv.join(' ')));
    found.push(...lines.map((line) => `${kind} ${line.trim()}`));
  }
  return found;
}
