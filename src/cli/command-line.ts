import './oldest-node.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { parse } from 'yaml';
import { imageNames } from '../cluster/image-archives.ts';
import { errorMessage, InputError } from '../errors.ts';
import { run as quietly } from '../exec.ts';
import { runPaths } from '../layout.ts';
import { innerInit } from '../namespaces/find-init.ts';
import { writeBundle } from '../run/bundle.ts';
import { tellAll } from '../run/events.ts';
import { examineRun } from '../run/find-end.ts';
import { FOR_ACTION } from '../run/offer.ts';
import { loadState } from '../run/state.ts';
import { stop } from '../run/stop.ts';
import { diagnose, exitCode, renderDiagnosis } from './doctor.ts';
import { load } from './load.ts';
import { reporterFor, terminalLog } from './log.ts';
import { inputsFrom, startOptions, type ActionFile } from './options.ts';
import { DEFAULT_NAME, directoryOf, names, runningCluster, runOf } from './runs.ts';
import { startCluster, startForAction } from './start.ts';
import { statusOf } from './status.ts';

/** The repository's root, seen from dist/cli. */
const ROOT = join(import.meta.dirname, '..', '..');
const DIST = join(ROOT, 'dist');

const NAME = [
  '--name <name>',
  "the cluster's name; by default the action's of this job, else default",
] as const;

interface Named {
  readonly name?: string;
}

/**
 * The same thing as the action, for a terminal or another CI system. stdout holds only what a script
 * reads.
 * @returns the exit code: 0, 1 for a failure, 2 for a wrong command line; of `kubectl` and `exec`
 * theirs, of `doctor` by mode
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('k3s-in-gvisor')
    .description('A real k3s cluster inside a container that runs under gVisor')
    .version(version(), '--version')
    .enablePositionalOptions()
    .exitOverride();

  const starting = program
    .command('start')
    .description('start a cluster and print the path of its kubeconfig');
  for (const option of startOptions(actionFile())) {
    if (option.isList) {
      starting.option(option.flags, option.description, append, []);
    } else {
      starting.option(option.flags, option.description, option.default);
    }
  }
  starting
    .option('--name <name>', "the cluster's name, also its context's", DEFAULT_NAME)
    .option(
      '--for-action',
      "start it before the job, in an image's entrypoint or a hook, for the action to adopt",
    )
    .option('--keep', 'leave a start that failed as it is, to be looked at')
    .option('--verbose', 'show what was found and what is planned')
    .option('--json', 'print what runs as JSON instead')
    .addHelpText(
      'after',
      `
Examples:
  export KUBECONFIG=$(k3s-in-gvisor start)
  k3s-in-gvisor start --name two --version v1.36 --images 'build/*.tar' --airgap
  k3s-in-gvisor start --registries @registries.yaml`,
    )
    .action(async (options: Record<string, unknown>) => {
      const forAction = options['forAction'] === true;
      const name = forAction ? FOR_ACTION : String(options['name']);
      const command = {
        name,
        read: inputsFrom(options),
        dist: DIST,
        verbose: options['verbose'] === true,
        keep: options['keep'] === true,
      };
      const started = await (forAction ? startForAction(command) : startCluster(command));
      if (options['json'] === true) {
        printJson(await statusOf(directoryOf(name)));
      } else {
        console.log(started.kubeconfig);
      }
    });

  program
    .command('stop')
    .description('stop a cluster and remove what it made, but for its logs')
    .option(...NAME)
    .action(async ({ name }: Named) => {
      const directory = runOf(name);
      if (!(await stop(directory, tellAll(reporterFor(terminalLog({ verbose: false }), []))))) {
        console.error(`Nothing to stop in ${directory}`);
      }
    });
  program
    .command('list')
    .description('print the names of the clusters that were started')
    .action(async () => {
      (await names()).forEach((name) => {
        console.log(name);
      });
    });
  program
    .command('status')
    .description('say whether a cluster runs, and where')
    .option(...NAME)
    .option('--json', 'as JSON')
    .action(async ({ name, json }: Named & { readonly json?: true }) => {
      const status = await statusOf(runOf(name));
      code = status.state === 'running' ? 0 : 1;
      if (json) {
        printJson(status);
        return;
      }
      console.log(status.state);
      for (const [key, value] of Object.entries(status.cluster ?? {})) {
        console.log(`${key}: ${value as string}`);
      }
    });
  program
    .command('logs')
    .description('print a log of a cluster; without a log, the names of those there are')
    .argument('[log]', 'such as k3s.log')
    .option(...NAME)
    .action(async (log: string | undefined, { name }: Named) => {
      const { logs } = runPaths(runOf(name));
      const found = (await readdir(logs, { recursive: true })).filter((file) =>
        file.endsWith('.log'),
      );
      if (log === undefined) {
        console.log(found.sort().join('\n'));
      } else if (found.includes(log)) {
        process.stdout.write(await readFile(join(logs, log)));
      } else {
        throw new InputError(`logs: there is no "${log}"; choose ${found.join(', ')}`);
      }
    });
  program
    .command('bundle')
    .description(
      'put together what helps to explain a failure, without secrets, and print the directory',
    )
    .option(...NAME)
    .action(async ({ name }: Named) => {
      const directory = runOf(name);
      const state = await loadState(directory);
      if (state === undefined) {
        throw new Error(`Failed to find a cluster in ${directory}: none was started there`);
      }
      console.log(await writeBundle(directory, await examineRun(directory, state)));
    });
  program
    .command('kubeconfig')
    .description('print the kubeconfig of a cluster')
    .option(...NAME)
    .action(async ({ name }: Named) => {
      const { kubeconfig } = await runningCluster(runOf(name));
      process.stdout.write(await readFile(kubeconfig));
    });
  program
    .command('kubectl')
    .description("run k3s's own kubectl against a cluster")
    .argument('[arguments...]')
    .option(...NAME)
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[], { name }: Named) => {
      const { bin, kubeconfig } = await runningCluster(runOf(name));
      code = await run([join(bin, 'kubectl'), ...args], { KUBECONFIG: kubeconfig });
    });
  program
    .command('exec')
    .description('run a program, or a shell, in the node: in the namespaces of a cluster')
    .argument('[command...]')
    .option(...NAME)
    .passThroughOptions()
    .action(async (command: string[], { name }: Named) => {
      const { init } = await runningCluster(runOf(name));
      const target = String(await innerInit(init));
      const enter = ['nsenter', '--target', target, ...NAMESPACES, '--'];
      await assertEnterable(enter);
      code = await run([...enter, ...(command.length === 0 ? ['sh'] : command)], {});
    });
  program
    .command('load')
    .description(
      'load image archives (docker or OCI, compressed or not) into a running cluster and print the names they hold',
    )
    .argument('<files...>', 'paths or globs')
    .option(...NAME)
    .action(async (files: string[], { name }: Named) => {
      (await load(await runningCluster(runOf(name)), files)).forEach((image) => {
        console.log(image);
      });
    });
  program
    .command('images')
    .description('print the names of the images that a cluster has')
    .option(...NAME)
    .action(async ({ name }: Named) => {
      console.log((await imageNames(await runningCluster(runOf(name)))).join('\n'));
    });
  program
    .command('doctor')
    .description(
      'say what can run here, and what stands in the way of more; exits with 0 for full, 3 for node, 4 for control-plane, 5 for nothing',
    )
    .option('--id-map-helper <path>', 'as of start, for a runner that is not root')
    .option('--json', 'as JSON')
    .action(async (options: { readonly json?: true; readonly idMapHelper?: string }) => {
      const diagnosis = await diagnose(DIST, options.idMapHelper);
      code = exitCode(diagnosis);
      if (options.json) {
        printJson(diagnosis);
      } else {
        console.log(renderDiagnosis(diagnosis));
      }
    });

  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : 2;
    }
    console.error(error instanceof Error ? error.message : error);
    return error instanceof InputError ? 2 : 1;
  }
  return code;
}

/** All that a cluster has of its own; the user namespace first, which gives the right to the others. */
const NAMESPACES = [
  '--user',
  '--preserve-credentials',
  '--mount',
  '--uts',
  '--ipc',
  '--net',
  '--pid',
];

/** By trying, so that what is said is not taken for the command's. */
async function assertEnterable(enter: readonly string[]): Promise<void> {
  await quietly([...enter, 'true']).catch((error: unknown) => {
    throw new Error(
      `Failed to enter the node: ${errorMessage(error)}; a gVisor before July 2026 lets nobody into a user namespace that is not its own (setns); "k3s-in-gvisor kubectl" and a privileged pod with hostPID reach the node as well`,
      { cause: error },
    );
  });
}

const append = (value: string, before: readonly string[]): string[] => [...before, value];

function printJson(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}

function actionFile(): ActionFile {
  return parse(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as ActionFile;
}

function version(): string {
  const { version: own } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return own;
}

/** Runs a program on this terminal. @returns its exit code, 128 and the signal's number if one ended it */
async function run(
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return status ?? 128 + constants.signals[signal ?? 'SIGKILL'];
}
