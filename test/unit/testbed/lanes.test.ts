import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';

import { minutes, runLanes, type Step } from '../../testbed/lanes.ts';

/** Lanes on a clock that goes on by what each step takes. */
function stage() {
  const lines: string[] = [];
  const order: string[] = [];
  let clock = 0;
  const step = (name: string, seconds: number, more: Partial<Step> = {}): Step => ({
    name,
    seconds,
    made: false,
    make: () => {
      order.push(name);
      clock += seconds * 1000;
      return Promise.resolve();
    },
    ...more,
  });
  const run = (...lanes: Step[][]) =>
    runLanes(lanes, (line) => lines.push(line), { overlap: 1, now: () => clock });
  return { lines, order, step, run };
}

test('says what is to make, and after each step how far it is', async () => {
  const { lines, order, step, run } = stage();
  await run([step('runsc', 60), step('helm', 80, { made: true }), step('act', 25)]);
  expect(order).toEqual(['runsc', 'helm', 'act']);
  expect(lines[0]).toBe('2 to make: runsc, act; about 1:25 on two cores');
  expect(lines[1]).toBe('1 of 2: runsc, 1:00; 1:00 of about 1:25 gone');
  expect(lines[2]).toMatch(/^2 of 2: act, 0:25; /);
});

test('says nothing where nothing is missing', async () => {
  const { lines, order, step, run } = stage();
  await run([step('runsc', 0, { made: true })]);
  expect(order).toEqual(['runsc']);
  expect(lines).toEqual([]);
});

test('lanes run side by side', async () => {
  const { step, run } = stage();
  const meeting = Promise.withResolvers<undefined>();
  await run(
    [step('waits', 1, { make: () => meeting.promise })],
    [
      step('releases', 1, {
        make: () => {
          meeting.resolve(undefined);
          return meeting.promise;
        },
      }),
    ],
  );
});

test('a failure is thrown, and ends the other lanes before their next step', async () => {
  const { order, step, run } = stage();
  const failed = Promise.withResolvers<undefined>();
  const fails = step('fails', 1, {
    make: () => {
      failed.resolve(undefined);
      return Promise.reject(new Error('no compiler'));
    },
  });
  const slow = step('slow', 1, { make: () => failed.promise.then(() => setImmediate()) });
  await expect(run([fails], [slow, step('next', 1)])).rejects.toThrow('no compiler');
  expect(order).not.toContain('next');
});

test.each([
  [0, '0:00'],
  [59.6, '1:00'],
  [425, '7:05'],
])('%f seconds are %s', (seconds, shown) => {
  expect(minutes(seconds)).toBe(shown);
});
