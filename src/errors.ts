/** The message of anything that was thrown, its first letter lowered so that messages nest after a colon. */
export function errorMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // "EACCES: permission denied" and "API server" keep their capitals.
  return /^[A-Z][a-z]/.test(message) ? message.charAt(0).toLowerCase() + message.slice(1) : message;
}

/** Bad input: reported before anything is started or changed, never with a log tail. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
