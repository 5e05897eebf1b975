/** Whose limit it is that a test fails. */
export type Cause =
  /** gVisor, or Kubernetes on it: nothing the action could change. */
  | 'gVisor'
  /** The stand-in, a missing image, no way to the internet: the official k3s elsewhere may pass. */
  | 'testbed'
  /** The action, by design or not yet. */
  | 'action';

export interface Reason {
  /** Of the test's full name. */
  pattern: RegExp;
  cause: Cause;
  reason: string;
}

/** Why tests fail, found by looking at each failure. A test that passes though it is here is reported. */
export const REASONS: readonly Reason[] = [];

export const reasonOf = (test: string) => REASONS.find(({ pattern }) => pattern.test(test));
