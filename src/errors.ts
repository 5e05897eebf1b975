/** The message of anything that was thrown, its first letter lowered so that messages nest after a colon. */
export function errorMessage(error: unknown): string {
  const message = textOf(error);
  // "EACCES: permission denied" and "API server" keep their capitals.
  return /^[A-Z][a-z]/.test(message) ? message.charAt(0).toLowerCase() + message.slice(1) : message;
}

function textOf(error: unknown): string {
  // A connection refused at several addresses is an AggregateError without a message of its own.
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(textOf).join(', ');
  }
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}

/** Bad input: reported before anything is started or changed, never with a log tail. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
