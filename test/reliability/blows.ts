/** The processes of a run that somebody, or something, may kill: how each is told by its command line. */
export const VICTIMS = {
  main: undefined,
  'the whole process group': undefined,
  "init's parent": undefined,
  "init's child": undefined,
  k3s: /\/k3s server$/,
  containerd: /^(\S*\/)?containerd -c /,
  'a shim': /containerd-shim-runc-v2 /,
  'the controller': /\/controller\/index\.js/,
  'the gateway': /\/gateway --control/,
  'the adapter': /\/adapter /,
} as const;

export type Victim = keyof typeof VICTIMS;

/** The lines of main's log after which a blow falls. */
export const RUNGS = [
  'action started',
  'init started',
  'k3s started',
  'API server ready',
  'node Ready',
  'kubeconfig used',
] as const;

export interface Blow {
  readonly victim: Victim;
  readonly signal: 'KILL' | 'TERM' | 'INT';
  readonly rung: (typeof RUNGS)[number];
  /** Milliseconds after the rung. */
  readonly after: number;
}

/** The longest time between a rung and the blow, in milliseconds: most rungs are that far apart. */
const LONGEST_MS = 2_000;

/** No container is made before the node is there, and no process of theirs. */
const WITH_CONTAINERS: readonly Victim[] = ['a shim', 'the adapter'];

/** `count` blows, the same ones for the same seed; each victim has its turn. */
export function blows(seed: number, count: number): Blow[] {
  const random = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const victims = Object.keys(VICTIMS) as Victim[];
  return Array.from({ length: count }, (_, index) => {
    const victim = victims[index % victims.length] as Victim;
    return {
      victim,
      // What a runner sends to a step that is cancelled; all others are killed for want of memory.
      signal: victim === 'main' ? pick(['KILL', 'TERM', 'INT']) : 'KILL',
      rung: WITH_CONTAINERS.includes(victim) ? 'node Ready' : pick(RUNGS),
      after: Math.floor(random() * LONGEST_MS),
    };
  });
}

/** Numbers of [0, 1), always the same ones for a seed: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
