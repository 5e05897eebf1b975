import type { Snapshot, Usage } from './cgroups.ts';

/** What the metrics API says of a container or the node. */
export interface Rate {
  /** Nanoseconds of CPU time a second, which are billionths of a core. */
  readonly cpu: number;
  readonly memory: number;
  /** Seconds over which the CPU time was taken. */
  readonly window: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface Sample extends Usage {
  readonly at: number;
}

/** A rate needs two; more make it steadier, and slower to follow. */
const SAMPLES = 4;

/** Keeps the last snapshots of every container that still is. */
export class Samples {
  #node: readonly Sample[] = [];
  #containers: ReadonlyMap<string, readonly Sample[]> = new Map();

  take({ node, containers }: Snapshot, at: number): void {
    this.#node = joined(this.#node, { ...node, at });
    this.#containers = new Map(
      [...containers].map(([id, usage]) => [
        id,
        joined(this.#containers.get(id) ?? [], { ...usage, at }),
      ]),
    );
  }

  get node(): Rate | undefined {
    return rateOf(this.#node);
  }

  /** Undefined for a container that is not, or that has been seen once only. */
  container(id: string): Rate | undefined {
    return rateOf(this.#containers.get(id) ?? []);
  }
}

function joined(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  // A counter that runs backwards is another cgroup's, of the same name.
  return last !== undefined && sample.cpu < last.cpu
    ? [sample]
    : [...samples.slice(1 - SAMPLES), sample];
}

function rateOf(samples: readonly Sample[]): Rate | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || first.at === last.at) {
    return undefined;
  }
  const window = (last.at - first.at) / 1000;
  return { cpu: (last.cpu - first.cpu) / window, memory: last.memory, window, at: last.at };
}
