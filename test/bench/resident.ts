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

/**
 * Resident memory of each part with all its descendants; containers are none of k3s's, because
 * their shims are left to init.
 * @param ps what `ps -eo pid=,ppid=,rss=,args=` printed
 * @throws if one of them is not running
 */
export function residentMiB(ps: string): Record<Part, number> {
  const processes = ps.split('\n').flatMap(parse);
  const sum = (part: Part): number => {
    const roots = processes.filter(({ command }) => PARTS[part].test(command));
    if (roots.length === 0) throw new Error(`Failed to measure ${part}: it is not running`);
    // init's descendants are all the others; init is two processes, parent and child.
    const counted = part === 'init' ? roots : withDescendants(processes, roots);
    return counted.reduce((total, { rssKiB }) => total + rssKiB, 0) / 1024;
  };
  return {
    init: sum('init'),
    gateway: sum('gateway'),
    controller: sum('controller'),
    k3s: sum('k3s'),
  };
}

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
