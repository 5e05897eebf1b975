import { describe, expect, it } from 'vitest';
import { retry } from '../../src/retry.ts';

async function delays(random: number, attempts = 8): Promise<number[]> {
  const slept: number[] = [];
  await retry(() => Promise.reject(new Error('no')), {
    attempts,
    isTransient: () => true,
    random: () => random,
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  }).catch(() => undefined);
  return slept;
}

describe('retry', () => {
  it('waits a random part of a delay that doubles, up to a limit', async () => {
    expect(await delays(1)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(await delays(0.5, 4)).toEqual([250, 500, 1_000]);
    expect(await delays(0, 3)).toEqual([0, 0]);
  });

  it('gives up at once on what will not pass', async () => {
    let made = 0;
    const failing = (): Promise<never> => {
      made++;
      return Promise.reject(new Error('no'));
    };
    await expect(retry(failing, { attempts: 5, isTransient: () => false })).rejects.toThrow('no');
    expect(made).toBe(1);
  });

  it('ends with the reason of its signal', async () => {
    const signal = AbortSignal.abort(new Error('the timeout passed'));
    await expect(
      retry(() => Promise.reject(new Error('no')), {
        attempts: 5,
        isTransient: () => true,
        signal,
      }),
    ).rejects.toThrow('the timeout passed');
  });
});
