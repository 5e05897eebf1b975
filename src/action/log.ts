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
};
