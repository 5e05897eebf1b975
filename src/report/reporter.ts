import type { Facts } from '../sandbox/facts.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunEvents } from '../run/events.ts';
import { seconds, type Moment } from '../run/timeline.ts';

/** Where the narration goes: the log of an action, or a terminal. */
export interface Log {
  info(message: string): void;
  /** For what the reader should see without looking for it. */
  notice(message: string): void;
  warning(message: string): void;
  group(title: string, body: () => void): void;
}

/** Tells what was found, what was decided, and how far it got. */
export class Reporter implements RunEvents {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  readonly info = (message: string): void => {
    this.#log.info(message);
  };

  readonly notice = (message: string): void => {
    this.#log.notice(message);
  };

  readonly warning = (message: string): void => {
    this.#log.warning(message);
  };

  reached(moment: Moment): void {
    this.#log.info(`${seconds(moment.at).padStart(9)}  ${moment.name}`);
  }

  facts(facts: Facts): void {
    this.#log.group('Facts: what this sandbox can do', () => {
      for (const [name, { result, evidence }] of [
        ...Object.entries(facts.probes),
        ...Object.entries(facts.sysctls).map(
          ([path, answer]) => [`/proc/sys/${path}`, answer] as const,
        ),
      ]) {
        this.#log.info(`${result.padEnd(7)} ${name}${evidence === '' ? '' : `: ${evidence}`}`);
      }
      const { user, hostname, networks, resolver, mounts } = facts;
      this.#log.info(
        `user ${user.uid}:${user.gid} on ${hostname}, networks ${networks.join(', ') || 'none'}`,
      );
      this.#log.info(`name servers ${resolver.nameservers.join(', ') || 'none'}`);
      this.#log.info(`mounts ${mounts.join(', ') || 'none'}`);
    });
  }

  plan(plan: Plan): void {
    this.#log.info(`Mode: ${plan.mode}`);
    for (const { mode, obstacles } of plan.fellShort) {
      this.#log.info(`Not ${mode}: ${obstacles.join('; ')}`);
    }
    this.#log.group('Plan: what is done, and why', () => {
      for (const { id, reason } of plan.decisions) {
        this.#log.info(reason === undefined ? `off ${id}` : `on  ${id}: ${reason}`);
      }
    });
    this.#log.group('Plan: every operation', () => {
      for (const { id, isSecret, operations } of plan.launch.steps) {
        for (const operation of operations) {
          const [directive, path] = operation;
          const text = isSecret ? `${directive} ${path ?? ''} (secret)` : operation.join(' ');
          this.#log.info(`${id}: ${withoutPasswords(text).replaceAll('\n', '\\n').slice(0, 300)}`);
        }
      }
    });
  }
}

/** Of a proxy's address: "http://user:password@proxy:3128". */
function withoutPasswords(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//***@');
}
