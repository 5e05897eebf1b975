export type Log = (message: string) => void;

export function log(message: string): void {
  console.log(`${new Date().toISOString()} ${message}`);
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection to several addresses is an AggregateError with an empty message.
  return error.message || ('code' in error ? String(error.code) : error.name);
}

/** Says something when it differs from the last thing said, so that a retry loop is not a flood. */
export function onChange(say: Log): Log {
  let last = '';
  return (message) => {
    if (message !== last) say(message);
    last = message;
  };
}
