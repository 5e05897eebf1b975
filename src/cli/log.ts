import type { Log } from '../report/reporter.ts';

/** Narration goes to stderr, so that stdout holds what a script reads. */
export function terminalLog({ verbose }: { readonly verbose: boolean }): Log {
  let folded = false;
  return {
    info: (message) => {
      if (!folded) {
        console.error(message);
      }
    },
    notice: (message) => {
      console.error(`Note: ${message}`);
    },
    warning: (message) => {
      console.error(`Warning: ${message}`);
    },
    // Facts and plan fill a screen: they are for those who ask.
    group: (title, body) => {
      folded = !verbose;
      if (verbose) {
        console.error(`\n${title}`);
      }
      body();
      folded = false;
    },
  };
}
