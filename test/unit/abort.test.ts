import { describe, expect, it } from 'vitest';
import { abortAfter, unlessAborted } from '../../src/abort.ts';

describe('unlessAborted', () => {
  const never = new Promise<never>(() => undefined);

  it('is what the work comes to', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(unlessAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  it('is the reason, also where it was aborted before', async () => {
    const abort = new AbortController();
    const waiting = unlessAborted(never, abort.signal);
    abort.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
    await expect(unlessAborted(never, abort.signal)).rejects.toThrow('over');
  });
});

describe('abortAfter', () => {
  it('aborts with its reason', async () => {
    const { signal } = abortAfter(1, 'the timeout passed');
    await expect(unlessAborted(new Promise(() => undefined), signal)).rejects.toThrow(
      'the timeout passed',
    );
  });
});
