import { expect } from 'vitest';

import type { StepResult } from './job.ts';

/** What the step fails with: the text of its one error annotation. */
export function errorOf({ code, log }: StepResult): string {
  expect(code, log).toBe(1);
  const errors = [...log.matchAll(/^::error::(.*)$/gm)].map(([, text = '']) => text);
  expect(errors, log).toHaveLength(1);
  // The runner's own escapes in commands.
  return (errors[0] ?? '').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
