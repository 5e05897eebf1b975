import { randomUUID } from 'node:crypto';
import * as core from '@actions/core';
import type { Log } from '../report/reporter.ts';

/** The log of the step, with its foldable groups. */
export const LOG: Log = {
  info: core.info,
  notice: core.notice,
  warning: core.warning,
  group: (title, body) => {
    core.startGroup(title);
    body();
    core.endGroup();
  },
  quote: (title, lines) => {
    core.startGroup(title);
    // A line of a log that begins with "::" would be a command to the runner.
    const token = randomUUID();
    core.info(`::stop-commands::${token}`);
    lines.forEach(core.info);
    core.info(`::${token}::`);
    core.endGroup();
  },
};
