import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Waiting } from '../../../src/run/waiting.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('says what is waited for after a while, seldom, and only when it is new', () => {
  const said: string[] = [];
  const waiting = new Waiting(({ rung, last }) => said.push(`${rung}: ${last}`), 5_000);
  waiting.see({ rung: 'node', last: 'a' });
  vi.advanceTimersByTime(4_999);
  expect(said).toEqual([]);
  for (const last of ['b', 'c']) {
    waiting.see({ rung: 'node', last });
  }
  vi.advanceTimersByTime(1);
  expect(said).toEqual(['node: c']);
  vi.advanceTimersByTime(20_000);
  expect(said).toHaveLength(1);
  waiting.see({ rung: 'node', last: 'd' });
  vi.advanceTimersByTime(5_000);
  expect(said).toEqual(['node: c', 'node: d']);
});

it('says nothing of what is over', () => {
  const said: string[] = [];
  const waiting = new Waiting(({ rung }) => said.push(rung), 5_000);
  waiting.see({ rung: 'node', last: 'a' });
  waiting.done();
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
