import type { Job } from './job.ts';

/** A command that runs until it is no longer wanted, and the lines it prints. */
export interface Followed extends AsyncDisposable {
  /** The first line that matches, of those printed since the last call. @throws if the command ends first */
  next(pattern: RegExp): Promise<RegExpMatchArray>;
}

export function follow(job: Job, argv: readonly string[]): Followed {
  const abort = new AbortController();
  const lines: string[] = [];
  let rest = '';
  let changed = Promise.withResolvers<undefined>();
  let ended: string | undefined;
  const wake = (): void => {
    changed.resolve(undefined);
    changed = Promise.withResolvers();
  };
  const running = job
    .exec(argv, {
      signal: abort.signal,
      onOutput: (chunk) => {
        const parts = (rest + chunk.toString()).split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts);
        wake();
      },
    })
    .then(
      ({ code, stdout, stderr }) => `ended with ${code}:\n${stdout}${stderr}`,
      (error: unknown) => String(error),
    )
    .then((how) => {
      ended = how;
      wake();
    });
  return {
    next: async (pattern) => {
      for (;;) {
        for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
          const match = line.match(pattern);
          if (match) return match;
        }
        if (ended !== undefined) throw new Error(`${argv.join(' ')} ${ended}`);
        await changed.promise;
      }
    },
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await running;
    },
  };
}
