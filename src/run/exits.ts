import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A process of the run that ended by itself, as init wrote it down. */
export interface Exit {
  readonly name: string;
  readonly kind: 'exit' | 'signal';
  readonly number: number;
}

/** "k3s ended with signal 9" */
const LINE = /^(\S+) ended with (exit|signal) (\d+)$/gm;

/** What init's log says of processes that ended, in their order. */
export function parseExits(log: string): Exit[] {
  return [...log.matchAll(LINE)].map(([, name = '', kind, number]) => ({
    name,
    kind: kind as Exit['kind'],
    number: Number(number),
  }));
}

export async function readExits(logs: string): Promise<Exit[]> {
  return parseExits(await readFile(join(logs, 'init.log'), 'utf8').catch(() => ''));
}

export function describeExit({ name, kind, number }: Exit): string {
  return `${name} ended with ${kind} ${number}`;
}
