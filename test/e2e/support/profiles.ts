/**
 * What tells little beside the rest: `make profiles`, and CI every night, runs it; `make test`, which has to
 * end within the hour, does not.
 */
export const inFull = <T>(...items: readonly T[]): readonly T[] =>
  process.env['PROFILES'] === 'all' ? items : [];
