/** One line of a program's log. */
export type Log = (message: string) => void;

export function log(message: string): void {
  console.log(`${new Date().toISOString()} ${message}`);
}

/** Says something when it differs from the last thing said, so that a retry loop is not a flood. */
export function onChange(say: Log): Log {
  let last = '';
  return (message) => {
    if (message !== last) say(message);
    last = message;
  };
}
