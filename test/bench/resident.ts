interface Process {
  pid: number;
  parent: number;
  rssKiB: number;
  command: string;
}

/** How each part of a run is told from the others, by its command line. */
const PARTS = {
  init: /\/init --status-fd /,
  gateway: /\/gateway --control /,
  controller: /\/controller\/index\.js /,
  k3s: /\/k3s server/,
} as const;

export type Part = keyof typeof PARTS;

export interface Resident {
  /** The first process of the part: another one after a restart. */
  pid: number;
  /** Resident memory of the part with all its descendants. */
  mib: number;
}

/**
 * The parts of a run that is up. Containers are none of k3s's, because their shims are left to init.
 * @param ps what `ps -eo pid=,ppid=,rss=,args=` printed
 * @throws if one of them is not running
 */
export function residentParts(ps: string): Record<Part, Resident> {
  const processes = ps.split('\n').flatMap(parse);
  const measure = (part: Part): Resident => {
    const roots = processes.filter(({ command }) => PARTS[part].test(command));
    const [first] = roots;
    if (!first) throw new Error(`Failed to measure ${part}: it is not running`);
    // init's descendants are all the others; init is two processes, parent and child.
    const counted = part === 'init' ? roots : withDescendants(processes, roots);
    const kib = counted.reduce((total, { rssKiB }) => total + rssKiB, 0);
    return { pid: first.pid, mib: kib / 1024 };
  };
  return {
    init: measure('init'),
    gateway: measure('gateway'),
    controller: measure('controller'),
    k3s: measure('k3s'),
  };
}

/** For `residentParts`. */
export const PS = ['ps', '-eo', 'pid=,ppid=,rss=,args='];

function withDescendants(all: readonly Process[], roots: readonly Process[]): Process[] {
  const found = new Map(roots.map((process) => [process.pid, process]));
  for (const { pid } of found.values()) {
    // A Map's iteration also visits what is added on the way.
    for (const child of all) if (child.parent === pid) found.set(child.pid, child);
  }
  return [...found.values()];
}

function parse(line: string): Process[] {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
  if (!match) return [];
  const [, pid, parent, rssKiB, command = ''] = match;
  return [{ pid: Number(pid), parent: Number(parent), rssKiB: Number(rssKiB), command }];
}
