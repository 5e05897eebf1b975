import { redactor } from '../redact.ts';
import { docsLink } from '../report/docs.ts';
import { Reporter, type Log } from '../report/reporter.ts';

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
    quote: (title, lines) => {
      console.error([`\n${title}`, ...lines].join('\n'));
    },
  };
}

/** @param secrets what must not be shown */
export function reporterFor(log: Log, secrets: readonly string[]): Reporter {
  return new Reporter(log, redactor(secrets), docsLink({}));
}
