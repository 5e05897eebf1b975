/** A thing to make, and what is known of it before. */
export interface Step {
  name: string;
  /** How long it takes by itself on two cores, from nothing. */
  seconds: number;
  /** Whether it is there already. */
  made: boolean;
  make: () => Promise<unknown>;
}

/**
 * Makes what is missing, the lanes side by side and the steps of a lane one after the other: while one
 * lane downloads, links or installs, the other has the processor. Says how much is to do, and after
 * each step how far it is. The first failure ends all lanes before their next step.
 * @param overlap how much of the sum of the seconds remains when the lanes run side by side
 */
export async function runLanes(
  lanes: readonly (readonly Step[])[],
  say: (line: string) => void,
  { overlap = 0.8, now = () => performance.now() } = {},
): Promise<void> {
  const missing = lanes.flat().filter(({ made }) => !made);
  const expected = missing.reduce((sum, { seconds }) => sum + seconds, 0) * overlap;
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    say(`${missing.length} to make: ${names}; about ${minutes(expected)} on two cores`);
  }
  const begin = now();
  const failures: unknown[] = [];
  let done = 0;
  const run = async (lane: readonly Step[]) => {
    for (const { name, made, make } of lane) {
      if (failures.length > 0) return;
      const started = now();
      await make();
      if (made) continue;
      done += 1;
      const [took, total] = [now() - started, now() - begin].map((ms) => minutes(ms / 1000));
      say(
        `${done} of ${missing.length}: ${name}, ${took}; ${total} of about ${minutes(expected)} gone`,
      );
    }
  };
  await Promise.all(
    lanes.map((lane) =>
      run(lane).catch((error: unknown) => {
        failures.push(error);
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}

/** As a clock shows it: 7:05. */
export function minutes(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
