/** A number that a setting of `make` gives. @throws if it is none, or not above 0 */
export function positive(name: string, byDefault: number): number {
  const text = process.env[name];
  const value = Number(text ?? byDefault);
  if (value > 0) return value;
  throw new Error(`${name}: "${text ?? ''}" is not a positive number`);
}
