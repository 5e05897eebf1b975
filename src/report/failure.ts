import { errorMessage, InputError } from '../errors.ts';
import { findHints } from './hints.ts';
import { tailLogs } from './logs.ts';
import type { Log } from './reporter.ts';

/**
 * Explains a failure: the ends of the logs, and the likely fix. Never throws.
 * @returns the message to fail with
 */
export async function explainFailure(error: unknown, logs: string, log: Log): Promise<string> {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof InputError) {
    return message;
  }
  const hints = new Set(findHints(message));
  try {
    for (const { name, text } of await tailLogs(logs)) {
      findHints(text).forEach((hint) => hints.add(hint));
      log.group(`End of ${name}`, () => {
        log.info(text);
      });
    }
  } catch (cause) {
    log.info(`Failed to read the logs in ${logs}: ${errorMessage(cause)}`);
  }
  return [message, ...hints].join('\n');
}
