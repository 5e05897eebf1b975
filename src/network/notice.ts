import type { ObjectRef } from './services/objects.ts';

/** Something the owner of an object should know; becomes an Event on it. */
export interface Notice {
  readonly about: ObjectRef;
  /** CamelCase, as Events have it. */
  readonly reason: string;
  readonly message: string;
}
