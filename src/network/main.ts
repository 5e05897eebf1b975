import { closeSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

import { parseConfig } from './config.ts';
import { runController } from './daemon.ts';
import { errorMessage } from '../errors.ts';
import { log } from '../log.ts';

/** Runs the controller until SIGTERM or SIGINT; its exit code. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const stop = new AbortController();
  const stopped = () => {
    stop.abort();
  };
  process.once('SIGTERM', stopped).once('SIGINT', stopped);
  try {
    const config = parseConfig(argv, hostname());
    await runController(config, log, readiness(env['READY_FD']), stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 0;
    log(`Failed to run the network controller: ${errorMessage(error)}`);
    // What is still connected or watched would keep the process, which is to be started again.
    stop.abort();
  }
  return 1;
}

/** init gives every process a pipe to say on that it is ready. */
function readiness(fd: string | undefined): () => void {
  return () => {
    if (fd === undefined) return;
    writeSync(Number(fd), '\n');
    closeSync(Number(fd));
  };
}
