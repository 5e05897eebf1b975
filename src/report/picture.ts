import { seconds, type Moment } from '../run/timeline.ts';

/** How many characters the whole time takes. */
const WIDTH = 40;

/**
 * Where the time went, for people: a bar for each thing, from the one before it to itself.
 *
 *     k3s started          2.31 s  |     ====                               |
 */
export function drawTimeline(moments: readonly Moment[]): string[] {
  const end = moments.at(-1)?.at ?? 0;
  const longest = Math.max(0, ...moments.map(({ name }) => name.length));
  const column = (ms: number): number => (end === 0 ? 0 : Math.round((ms / end) * WIDTH));
  return moments.map(({ name, at }, index) => {
    const from = column(moments[index - 1]?.at ?? 0);
    // What took no time to speak of is seen as well.
    const to = Math.max(column(at), from + 1);
    const bar = `${' '.repeat(from)}${'█'.repeat(to - from)}`.padEnd(WIDTH + 1);
    const took = seconds(at - (moments[index - 1]?.at ?? 0)).padStart(8);
    return `${name.padEnd(longest)}  ${took}  │${bar}│ ${seconds(at)}`;
  });
}
