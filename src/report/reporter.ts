import { renderDiagnosis } from '../cluster/diagnose.ts';
import type { Facts } from '../sandbox/facts.ts';
import type { Plan } from '../plan/plan.ts';
import type { Redact } from '../redact.ts';
import type { Ended, Failure, Listener, Reach, Wait } from '../run/events.ts';
import type { Examination } from '../run/examine.ts';
import { seconds, type Moment } from '../run/timeline.ts';
import type { DocsLink } from './docs.ts';

/** Where the narration goes: the log of an action, or a terminal. */
export interface Log {
  info(message: string): void;
  /** For what the reader should see without looking for it. */
  notice(message: string): void;
  warning(message: string): void;
  group(title: string, body: () => void): void;
  /** A group of what others have written, in which nothing is a command to whoever shows it. */
  quote(title: string, lines: readonly string[]): void;
}

/** Tells what was found, what was decided, and how far it got. */
export class Reporter implements Listener {
  readonly #log: Log;
  readonly #redact: Redact;
  readonly #docs: DocsLink;

  constructor(log: Log, redact: Redact, docs: DocsLink) {
    this.#log = log;
    this.#redact = redact;
    this.#docs = docs;
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

  readonly reached = (moment: Moment): void => {
    this.#log.info(`${seconds(moment.at).padStart(9)}  ${moment.name}`);
  };

  readonly waiting = ({ rung, last }: Wait): void => {
    this.#log.info(`${' '.repeat(9)}  … ${rung}: ${this.#redact(last)}`);
  };

  readonly facts = (facts: Facts): void => {
    this.#log.group('Facts: what this sandbox can do', () => {
      for (const [name, { result, evidence }] of [
        ...Object.entries(facts.probes),
        ...Object.entries(facts.sysctls).map(
          ([path, answer]) => [`/proc/sys/${path}`, answer] as const,
        ),
      ]) {
        this.#log.info(`${result.padEnd(7)} ${name}${evidence === '' ? '' : `: ${evidence}`}`);
      }
      const { user, hostname, memory, networks, resolver, mounts } = facts;
      this.#log.info(
        `user ${user.uid}:${user.gid} on ${hostname}, ${Math.floor(memory / 2 ** 20)} MiB of memory, networks ${networks.join(', ') || 'none'}`,
      );
      this.#log.info(`name servers ${resolver.nameservers.join(', ') || 'none'}`);
      this.#log.info(`mounts ${mounts.join(', ') || 'none'}`);
    });
  };

  readonly plan = (plan: Plan): void => {
    this.#log.info(`Mode: ${plan.mode}`);
    for (const { mode, obstacles } of plan.fellShort) {
      const text = `Not ${mode}: ${obstacles.join('; ')}`;
      // The promise is that pods run; the first line says what to change.
      if (mode === 'full') {
        this.#log.warning(text);
      } else {
        this.#log.info(text);
      }
    }
    plan.warnings.forEach(this.warning);
    this.#log.group('Plan: what is done, and why', () => {
      for (const { id, reason, leftOut } of plan.decisions) {
        this.#log.info(reason === undefined ? `off ${leftOut ?? id}` : `on  ${id}: ${reason}`);
      }
    });
    this.#log.group('Plan: every operation', () => {
      for (const { id, isSecret, operations } of plan.launch.steps) {
        for (const operation of operations) {
          const [directive, path] = operation;
          const text = isSecret ? `${directive} ${path ?? ''} (secret)` : operation.join(' ');
          this.#log.info(`${id}: ${this.#redact(text).replaceAll('\n', '\\n').slice(0, 300)}`);
        }
      }
    });
  };

  readonly kubeconfig = ({ kubeconfig }: Reach): void => {
    this.#log.info(`${' '.repeat(9)}  KUBECONFIG=${kubeconfig}`);
  };

  /** All but the message: with that the step, or the command, fails. */
  readonly failed = (failure: Failure): void => {
    this.#examination(failure);
  };

  readonly ended = (ended: Ended): void => {
    if (ended.warning === undefined) {
      if (ended.diagnosis.pods.length > 0) {
        this.#log.quote('Pods that are not ready', ended.diagnosis.pods);
      }
      return;
    }
    this.#examination(ended);
    this.#log.warning(
      [ended.warning, ...ended.causes.map(({ cause, fix }) => `${cause} ${fix}`)].join('\n'),
    );
  };

  #examination({ diagnosis, causes, logs }: Examination): void {
    for (const { name, lines } of logs) {
      if (lines.length > 0) {
        this.#log.quote(`End of ${name}`, lines);
      }
    }
    const cluster = renderDiagnosis(diagnosis);
    if (cluster.length > 0) {
      this.#log.quote('What the cluster says', cluster);
    }
    for (const { heading, evidence } of causes) {
      this.#log.quote(`Seen: ${heading}`, [evidence, `See ${this.#docs(heading)}`]);
    }
  }
}

/** What a step fails with: the error, and what is known to lead to it. */
export function failureMessage({ message, causes }: Failure): string {
  return [message, ...causes.map(({ cause, fix }) => `${cause} ${fix}`)].join('\n');
}
