import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { bareEnvironment } from '../exec.ts';
import type { Layout } from '../layout.ts';

/** The step that failed, as init reports it. */
export interface LaunchFailure {
  readonly line: number;
  readonly directive: string;
  readonly errno: string;
  readonly message: string;
}

/** The first process: everything else of the run lives and dies with it. */
export interface Init {
  readonly pid: number;
  /** Resolves when every operation was applied and every process started. Rejects with the operation that failed. */
  readonly launched: Promise<void>;
  /** Resolves with a sentence saying how it ended; never rejects. */
  readonly ended: Promise<string>;
  /** Lets this process end while init goes on. */
  detach(): void;
}

/**
 * Starts native/init on the launch file, in a session of its own so that it outlives this step.
 * @throws if the program cannot be started.
 */
export async function startInit(
  layout: Pick<Layout, 'native' | 'logs' | 'launchFile'>,
): Promise<Init> {
  const log = await open(join(layout.logs, 'init.log'), 'a');
  const child = spawn(join(layout.native, 'init'), ['--status-fd', '3', layout.launchFile], {
    detached: true,
    // It is the first process of the pods' pid namespace, so any of them that shares that one can read its
    // environment. By the variable that is left, the runner finds and ends what a job has left running,
    // where no post step was run (actions/runner, JobExtension.cs).
    env: bareEnvironment(['RUNNER_TRACKING_ID']),
    stdio: ['ignore', log.fd, log.fd, 'pipe'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  }).finally(() => log.close());
  const { pid } = child;
  if (pid === undefined) {
    throw new Error('Failed to start init: it has no process id');
  }

  const exits: string[] = [];
  const status = child.stdio[3] as Readable;
  const lines = createInterface({ input: status });
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => {
      const how = signal === null ? `exit code ${code ?? -1}` : `signal ${signal}`;
      resolve([...exits, `init ended with ${how}`].join('; '));
    });
  });
  const launched = new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      const [event = '', ...fields] = line.split('\t').map(unescapeField);
      if (event === 'ready') {
        resolve();
      } else if (event === 'failed') {
        reject(Object.assign(new Error(fields[3] ?? 'Failed to launch'), { code: fields[2] }));
      } else if (event === 'exited') {
        exits.push(`${fields[0] ?? '?'} ended with ${fields[1] ?? '?'} ${fields[2] ?? '?'}`);
      }
    });
    void ended.then((how) => {
      reject(new Error(`Failed to launch: ${how}`));
    });
  });
  // Who only waits for `ended` has no handler on it.
  launched.catch(() => undefined);

  return {
    pid,
    launched,
    ended,
    detach: () => {
      lines.close();
      status.destroy();
      child.unref();
    },
  };
}

function unescapeField(field: string): string {
  return field.replace(/\\([\\tn])/g, (_, character: string) =>
    character === 't' ? '\t' : character === 'n' ? '\n' : '\\',
  );
}
