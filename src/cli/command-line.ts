import { readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { arch, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { parse } from 'yaml';
import { InputError } from '../errors.ts';
import { parseInputs } from '../inputs/inputs.ts';
import { layoutOf } from '../layout.ts';
import { explainFailure } from '../report/failure.ts';
import { Reporter, type Log } from '../report/reporter.ts';
import { start } from '../run/start.ts';
import { stop } from '../run/stop.ts';

/** The repository's root, seen from dist/cli. */
const ROOT = join(import.meta.dirname, '..', '..');

interface ActionFile {
  inputs: Record<string, { description: string; default?: string }>;
}

/** Narration goes to stderr, so that stdout holds what a script reads. */
const LOG: Log = {
  info: (message) => {
    console.error(message);
  },
  notice: (message) => {
    console.error(`Note: ${message}`);
  },
  warning: (message) => {
    console.error(`Warning: ${message}`);
  },
  group: (title, body) => {
    console.error(`\n${title}`);
    body();
  },
};

/**
 * The same thing as the action, for a terminal or another CI system: `start` prints the kubeconfig's
 * path, `stop` ends what it started.
 * @returns the exit code: 0, 1 for a failure, 2 for a wrong command line
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let code = 0;
  const { inputs } = parse(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as ActionFile;
  const program = new Command('k3s-in-gvisor').exitOverride();
  const stateOption = [
    '--state <directory>',
    'the directory of the run',
    './.k3s-in-gvisor',
  ] as const;

  // The options are action.yml's inputs: one list, described in one place.
  const startCommand = program
    .command('start')
    .description('start a cluster and print its kubeconfig');
  for (const [name, { description, default: value }] of Object.entries(inputs)) {
    startCommand.option(`--${name} <value>`, description, value ?? '');
  }
  startCommand.option(...stateOption).action(async (_options: object, command: Command) => {
    const options = command.opts<Record<string, string>>();
    const read = (name: string): string =>
      options[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())] ?? '';
    const directory = resolve(read('state'));
    const layout = layoutOf(directory, join(ROOT, 'dist'), arch(), process.execPath);
    try {
      const parsed = parseInputs(read);
      await makeOwn(directory);
      const { kubeconfig } = await start({
        inputs: parsed,
        layout,
        cache: process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
        remote: undefined,
        events: new Reporter(LOG),
      });
      console.log(kubeconfig);
    } catch (error) {
      console.error(await explainFailure(error, layout.logs, LOG));
      code = 1;
    }
  });
  program
    .command('stop')
    .description('stop the cluster of a run and remove what it made, but for its logs')
    .option(...stateOption)
    .action(async ({ state }: { state: string }) => {
      try {
        if (!(await stop(resolve(state), console.error))) {
          console.error(`Nothing to stop in ${resolve(state)}`);
        }
      } catch (error) {
        console.error(error instanceof Error ? error.message : error);
        code = 1;
      }
    });

  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : 2;
    }
    throw error;
  }
  return code;
}

/**
 * Makes the directory of a run, which `stop` will empty: it must hold nothing else.
 * @throws InputError if it does
 */
async function makeOwn(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const [other] = (await readdir(directory)).filter((name) => name !== 'logs');
  if (other !== undefined) {
    throw new InputError(
      `state: "${directory}" holds ${other}, of a run that was not stopped or of something else; stop the run, or give a directory of its own`,
    );
  }
}
