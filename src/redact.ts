/** Takes out of a text what must not be read. */
export type Redact = (text: string) => string;

/** Shorter ones would take half of every text along. */
const SHORTEST = 3;

/** What has the form of a secret: the user of an address, a token of a request. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/\/\/[^/@\s]+@/g, '//***@'],
  [/\b(Bearer|Basic) [\w.~+/=-]{8,}/g, '$1 ***'],
];

/** @param secrets literal texts; of those with several lines each line is one */
export function redactor(secrets: readonly string[]): Redact {
  const literal = [...new Set(secrets.flatMap((secret) => secret.split('\n')))]
    .map((secret) => secret.trim())
    .filter((secret) => secret.length >= SHORTEST)
    // One may be a part of another.
    .sort((a, b) => b.length - a.length);
  return (text) =>
    FORMS.reduce(
      (result, [pattern, replacement]) => result.replace(pattern, replacement),
      literal.reduce((result, secret) => result.replaceAll(secret, '***'), text),
    );
}

/** `value` as JSON; what is secret is taken out of each text before quotes and line ends are escaped. */
export function redactJson(value: unknown, redact: Redact): string {
  return JSON.stringify(
    value,
    (_, part: unknown) => (typeof part === 'string' ? redact(part) : part),
    2,
  );
}
