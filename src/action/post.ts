import { join } from 'node:path';
import * as core from '@actions/core';
import { errorMessage } from '../errors.ts';
import { stop } from '../run/stop.ts';
import { saveCaches } from './remote-cache.ts';
import { STATE_DIRECTORY } from './state.ts';

/** The post step: ends everything, whatever happened. Its own failure is a warning, the job's result stands. */
export async function runPost(): Promise<void> {
  const directory = core.getState(STATE_DIRECTORY);
  if (directory === '') {
    return;
  }
  try {
    const stopped = await stop(directory, core.warning);
    const logs = join(directory, 'logs');
    core.info(stopped ? `Stopped; the logs are in ${logs}` : `Nothing to stop in ${directory}`);
  } catch (error) {
    core.warning(`Failed to clean up: ${errorMessage(error)}`);
  }
  await saveCaches();
}
