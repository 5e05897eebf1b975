import { join } from 'node:path';
import { errorMessage, InputError } from '../errors.ts';
import { home } from '../files.ts';
import { parseInputs, type Inputs, type ReadInput } from '../inputs/inputs.ts';
import { layoutOf } from '../layout.ts';
import { secretsOf } from '../inputs/secrets.ts';
import { failureMessage } from '../report/reporter.ts';
import { Storyteller } from '../report/story.ts';
import { findOffered, offer } from '../run/adopt.ts';
import { tellAll, type Reach } from '../run/events.ts';
import { announceOffer, FOR_ACTION } from '../run/offer.ts';
import { CONTEXT, start } from '../run/start.ts';
import { stop } from '../run/stop.ts';
import { reporterFor, terminalLog } from './log.ts';
import { DEFAULT_NAME, makeOwn } from './runs.ts';

export interface StartCommand {
  readonly name: string;
  readonly read: ReadInput;
  /** The directory that holds the bundles. */
  readonly dist: string;
  readonly verbose: boolean;
  /** Leaves a start that failed as it is, to be looked at. */
  readonly keep: boolean;
}

/**
 * Starts a cluster. Whatever ends the start before its end, a signal among it, leaves nothing.
 * @throws Error with all that is known of why it failed
 */
export async function startCluster(command: StartCommand): Promise<Reach> {
  const inputs = parseInputs(command.read);
  return startIn(await makeOwn(command.name), command, inputs);
}

/**
 * Starts a cluster before the job, for the job's action to adopt; one that is there already and will do
 * stays.
 */
export async function startForAction(command: Omit<StartCommand, 'name'>): Promise<Reach> {
  const inputs = parseInputs(command.read);
  if (inputs.kubeconfig !== undefined) {
    throw new InputError(
      'kubeconfig: --for-action takes none; the action makes it, where its own input says',
    );
  }
  const reporter = reporterFor(terminalLog(command), secretsOf(inputs));
  const offered = await findOffered(inputs, tellAll(reporter));
  if (offered !== undefined) {
    return offered;
  }
  const directory = await makeOwn(FOR_ACTION);
  await announceOffer(directory);
  const reach = await startIn(directory, { ...command, name: FOR_ACTION }, inputs);
  await offer(directory, inputs, reach);
  return reach;
}

async function startIn(directory: string, command: StartCommand, inputs: Inputs): Promise<Reach> {
  const reporter = reporterFor(terminalLog(command), secretsOf(inputs));
  const storyteller = new Storyteller();
  const layout = layoutOf(directory, command.dist, process.arch, process.execPath);
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    interrupt.abort(new Error(`interrupted by ${signal}`));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  signals.forEach((signal) => process.on(signal, onSignal));
  try {
    return await start({
      inputs,
      layout,
      context: [DEFAULT_NAME, FOR_ACTION].includes(command.name)
        ? CONTEXT
        : `${CONTEXT}-${command.name}`,
      cache: process.env['XDG_CACHE_HOME'] ?? join(home(), '.cache'),
      remote: undefined,
      events: tellAll(reporter, storyteller),
      signal: interrupt.signal,
    });
  } catch (error) {
    if (!command.keep) {
      await stop(directory, tellAll(reporter));
    }
    if (interrupt.signal.aborted) {
      throw new Error(errorMessage(interrupt.signal.reason), { cause: error });
    }
    const { failure } = storyteller.story;
    // What was wrong with the input is told as it is, and by another exit code.
    throw error instanceof InputError || failure === undefined
      ? error
      : new Error(failureMessage(failure), { cause: error });
  } finally {
    signals.forEach((signal) => process.off(signal, onSignal));
  }
}
