import { join } from 'node:path';
import * as core from '@actions/core';
import { errorMessage } from '../errors.ts';
import { docsLink } from '../report/docs.ts';
import { Reporter } from '../report/reporter.ts';
import { leave } from '../run/adopt.ts';
import { tellAll } from '../run/events.ts';
import { stop } from '../run/stop.ts';
import { LOG } from './log.ts';
import { saveCaches } from './remote-cache.ts';
import { STATE_DIRECTORY, STATE_KEEP } from './state.ts';

/** The post step: ends everything, whatever happened. Its own failure is a warning, the job's result stands. */
export async function runPost(): Promise<void> {
  const directory = core.getState(STATE_DIRECTORY);
  if (directory === '') {
    return;
  }
  try {
    // What it tells had its secrets taken out by who knows them.
    const reporter = new Reporter(LOG, (text) => text, docsLink(process.env));
    const events = tellAll(reporter);
    const logs = join(directory, 'logs');
    if (core.getState(STATE_KEEP) === 'true') {
      await leave(directory, events);
      core.info(`The cluster is left to the next job; its logs are in ${logs}`);
    } else {
      const stopped = await stop(directory, events);
      core.info(stopped ? `Stopped; the logs are in ${logs}` : `Nothing to stop in ${directory}`);
    }
  } catch (error) {
    core.warning(`Failed to clean up: ${errorMessage(error)}`);
  }
  await saveCaches();
}
