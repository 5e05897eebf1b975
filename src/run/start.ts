import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { abortAfter, unlessAborted } from '../abort.ts';
import { errorMessage, InputError } from '../errors.ts';
import { exists, writeOwn } from '../files.ts';
import { findImages } from '../images/find.ts';
import { preparationLaunch } from '../images/preparation.ts';
import { findWarmStart, type WarmStart } from '../images/warm-start.ts';
import type { Inputs } from '../inputs/inputs.ts';
import { secretsOf } from '../inputs/secrets.ts';
import { readRunnerConfig, withRunnerConfig, type RunnerConfig } from '../inputs/runner-config.ts';
import { bringInterceptor } from '../interceptor/bring.ts';
import { installK3s } from '../k3s/install.ts';
import { awaitContainerdConfig } from '../cluster/containerd-config.ts';
import { handOverCoredns } from '../cluster/coredns.ts';
import { NOTHING_KNOWN } from '../cluster/diagnose.ts';
import { assertUnused, writeKubeconfig } from '../cluster/kubeconfig.ts';
import { PullError, pullImages } from '../cluster/pull.ts';
import { climb, ReadinessError, SERVING, type Climb } from '../cluster/readiness.ts';
import { withClient } from '../kubernetes/kubeconfig.ts';
import type { RemoteCache, Workshop } from '../supply/supply.ts';
import { ToolCache } from '../supply/tool-cache.ts';
import { assertUsable, type Layout } from '../layout.ts';
import { nodeRoot } from '../namespaces/find-init.ts';
import { startInit, type Init } from '../namespaces/init.ts';
import { renderLaunchFile } from '../namespaces/operations.ts';
import { redactJson, redactor } from '../redact.ts';
import { Timeline } from './timeline.ts';
import { writeBundle } from './bundle.ts';
import type { Failure, Reach, RunEvents } from './events.ts';
import { examine } from './examine.ts';
import type { Facts } from '../sandbox/facts.ts';
import { gatherFacts } from '../sandbox/gather.ts';
import { missingParents } from './parents.ts';
import { missingPodCgroups } from './pod-cgroups.ts';
import { saveRecord } from './record.ts';
import { saveState, type RunState } from './state.ts';
import { chooseMode, type ModeChoice } from '../plan/choose-mode.ts';
import { assertForced, assertKnown } from '../plan/forced.ts';
import { chooseNamespaces } from '../plan/namespaces.ts';
import { PLANNED_SYSCTLS } from '../plan/sysctls.ts';
import { interceptor } from '../plan/parts/interceptor.ts';
import { metricsApi } from '../plan/parts/metrics-api.ts';
import { applies, makePlan, type Plan } from '../plan/plan.ts';
import { publicPlan } from '../plan/public.ts';
import { Waiting } from './waiting.ts';

/** The kubeconfig's context, cluster and user; k3s calls each of its own `default`. */
export const CONTEXT = 'k3s-in-gvisor';

const PULLED = 'images pulled';

export interface StartOptions {
  readonly inputs: Inputs;
  readonly layout: Layout;
  /** What the kubeconfig calls the cluster: two of one name could not be merged. */
  readonly context: string;
  /** A directory that outlives the run, for k3s itself. */
  readonly cache: string;
  /** A cache that outlives the machine. */
  readonly remote: RemoteCache | undefined;
  readonly events: RunEvents;
  /** Ends the start, with its reason; what was started is then for `stop`. */
  readonly signal?: AbortSignal;
}

/**
 * Brings a cluster up: find the facts, plan, apply, wait until it is ready, prove the kubeconfig. All of
 * it is told by the events, the failure with its causes as well.
 * @throws InputError before anything is started; later with the step, its cause and what was seen last
 */
export async function start(options: StartOptions): Promise<Reach> {
  const { events } = options;
  if (process.platform !== 'linux') {
    throw new InputError(
      `Failed to start a cluster: k3s runs on Linux, this is ${process.platform}`,
    );
  }
  const runner = await readRunnerConfig();
  const inputs = withRunnerConfig(options.inputs, runner);
  const deadline = abortAfter(inputs.timeoutMs, 'the timeout passed');
  // What still runs when something else has failed must neither go on nor keep the step waiting.
  const over = new AbortController();
  const signal = AbortSignal.any([
    deadline.signal,
    over.signal,
    ...(options.signal === undefined ? [] : [options.signal]),
  ]);
  const run = new Run({ ...options, inputs }, runner, signal);
  try {
    const reach = await run.start();
    events.ready(reach);
    return reach;
  } catch (error) {
    over.abort(new Error('something else failed'));
    events.failed(await run.explain(error));
    throw error;
  } finally {
    deadline.clear();
    over.abort(new Error('the start is over'));
    await run.leave();
  }
}

/** What a start comes to know on its way; on a failure that is what there is to say. */
class Run {
  readonly #options: StartOptions;
  readonly #runner: RunnerConfig;
  readonly #signal: AbortSignal;
  readonly #timeline = new Timeline();
  readonly #waiting: Waiting;
  /** The last thing that was waited for. */
  #rung = 'action started';
  #state: RunState;
  #init: Init | undefined;
  /** What the user had left out of the plan: the likeliest cause, should the start fail. */
  #leftOut: readonly string[] = [];
  /** The kubeconfig for later steps, once the API server has answered. */
  #kubeconfig: string | undefined;

  constructor(options: StartOptions, runner: RunnerConfig, signal: AbortSignal) {
    this.#options = options;
    this.#runner = runner;
    this.#signal = signal;
    this.#waiting = new Waiting((wait) => {
      options.events.waiting(wait);
    });
    this.#state = { files: [], cgroups: [], secrets: secretsOf(options.inputs) };
  }

  async start(): Promise<Reach> {
    const { inputs, layout, events, remote } = this.#options;
    const signal = this.#signal;
    const workshop = {
      cache: new ToolCache(join(this.#options.cache, 'k3s-in-gvisor'), events.warning),
      fallback: new ToolCache(layout.ownCache, events.warning),
      narrator: events,
    };
    assertUsable(layout);
    assertKnown(inputs.workarounds);
    if (inputs.kubeconfig !== undefined) {
      await assertUnused(inputs.kubeconfig);
    }
    await this.#save({});
    await mkdir(join(layout.logs, 'pods'), { recursive: true });
    await mkdir(layout.scratch, { recursive: true });
    this.#reached('action started');

    this.#wait('facts and k3s', 'looking');
    const [{ facts, choice }, k3s, images] = await unlessAborted(
      Promise.all([
        this.#findFacts(),
        installK3s(inputs, { ...workshop, remote, signal }),
        findImages(inputs.images),
      ]),
      signal,
    );
    this.#reached('k3s at hand');
    await this.#save({ tools: k3s.tools });

    const tars = k3s.airgapImages === undefined ? images : [k3s.airgapImages, ...images];
    const { manifests } = this.#runner;
    const warm = await this.#findWarmStart({ facts, choice, tars, k3s: k3s.sha256, workshop });
    const prepared = warm.kind === 'prepared' ? warm.images : undefined;
    const agentToken = inputs.agents === 0 ? undefined : await this.#makeToken();
    const given = { facts, inputs, layout, k3s, images: tars, manifests, prepared, agentToken };
    const plan = makePlan(given);
    this.#leftOut = plan.leftOut;
    events.plan(plan);
    await this.#note('plan.json', publicPlan(plan));
    if (warm.kind === 'missing') {
      const { launchFile, made } = warm.preparation;
      const launch = preparationLaunch(plan, layout, tars, made);
      await writeOwn(launchFile, renderLaunchFile(launch));
    }
    await this.#launch(plan, facts, workshop);

    const server = `https://127.0.0.1:${facts.apiServerPort}`;
    const kubeconfig = inputs.kubeconfig ?? join(layout.state, 'kubeconfig');
    const reach = { kubeconfig, server, context: this.#options.context, k3s, plan };
    await Promise.all([this.#climb(reach), this.#pull(plan)]);
    await this.#prove(kubeconfig);
    this.#reached('kubeconfig used');
    await saveRecord(layout.state, {
      mode: plan.mode,
      version: k3s.version,
      server,
      kubeconfig,
      nodeName: plan.mode === 'control-plane' ? '' : plan.nodeName,
      bin: join(k3s.dataDir, 'data', 'current', 'bin'),
    });
    if (warm.kind === 'missing') {
      await this.#save({ preparation: warm.preparation });
      remote?.saveLater(warm.preparation.directory, warm.key);
    }
    return reach;
  }

  /** For agents to join with; known as a secret before anything is said of it. */
  async #makeToken(): Promise<string> {
    const token = randomBytes(16).toString('hex');
    await this.#save({ secrets: [...(this.#state.secrets ?? []), token] });
    return token;
  }

  /** All that can be found out about `error`; never throws. */
  async explain(error: unknown): Promise<Failure> {
    const { layout } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    this.#waiting.done();
    if (error instanceof InputError) {
      return { message, rung: undefined, diagnosis: NOTHING_KNOWN, causes: [], logs: [] };
    }
    const rung = rungOf(error) ?? this.#rung;
    const found = await examine({
      ...{ kubeconfig: this.#kubeconfig, logs: layout.logs, said: [message], rung },
      redact: redactor(this.#state.secrets ?? []),
    });
    await this.#timeline.save(join(layout.logs, 'timeline.json')).catch(() => undefined);
    await writeBundle(layout.state, found).catch((cause: unknown) => {
      this.#options.events.warning(errorMessage(cause));
    });
    return { message: [message, ...this.#leftOut].join('\n'), rung, ...found };
  }

  /** Lets go of what runs on without this process. Its own failure must not replace another. */
  async leave(): Promise<void> {
    const { layout, events } = this.#options;
    this.#waiting.done();
    this.#init?.detach();
    if (await exists(layout.logs)) {
      await this.#timeline.save(join(layout.logs, 'timeline.json')).catch((error: unknown) => {
        events.warning(`Failed to save the timeline: ${errorMessage(error)}`);
      });
    }
  }

  /** The facts, and at once what cannot be with them: before the time it takes to download. */
  async #findFacts(): Promise<{ readonly facts: Facts; readonly choice: ModeChoice }> {
    const { inputs, layout, events } = this.#options;
    const facts = await gatherFacts(
      layout,
      { sysctls: PLANNED_SYSCTLS, idMapHelper: inputs.idMapHelper },
      this.#signal,
    );
    events.facts(facts);
    await this.#note('facts.json', facts);
    this.#reached('facts found');
    const choice = chooseMode(inputs.mode, { facts, sysctls: inputs.sysctls });
    assertForced(inputs.workarounds, choice);
    if (choice.mode === 'control-plane' && inputs.pull.length > 0) {
      throw new InputError(
        'pull: in mode control-plane, the one that can be had here, there is no containerd to pull images',
      );
    }
    return { facts, choice };
  }

  async #findWarmStart(wanted: {
    facts: Facts;
    choice: ModeChoice;
    tars: readonly string[];
    k3s: string;
    workshop: Workshop;
  }): Promise<WarmStart> {
    const { inputs, layout, remote } = this.#options;
    if (!inputs.warmStart) {
      return { kind: 'none' };
    }
    this.#wait('prepared images looked up', 'hashing the images');
    const { facts, choice, ...rest } = wanted;
    const { mode, isolation } = choice;
    const launch = chooseNamespaces({ isolation, facts, forced: inputs.workarounds });
    const found = await unlessAborted(
      findWarmStart({ mode, launch, ...rest, layout, remote }),
      this.#signal,
    );
    this.#reached('prepared images looked up');
    return found;
  }

  async #launch(plan: Plan, facts: Facts, workshop: Workshop): Promise<void> {
    const { layout } = this.#options;
    await this.#save({
      files: await missing(plan.leftBehind),
      cgroups: await missingPodCgroups(layout.podCgroups),
      idMapper:
        plan.launch.mapper === undefined
          ? undefined
          : { argv: plan.launch.mapper, native: layout.native },
    });
    if (applies(plan, interceptor)) {
      this.#wait('interceptor at hand', 'compiling');
      await unlessAborted(bringInterceptor(layout, workshop), this.#signal);
      this.#reached('interceptor at hand');
    }
    for (const { launchFile, launch } of [{ ...layout, launch: plan.launch }, ...plan.agents]) {
      await writeOwn(launchFile, renderLaunchFile(launch));
    }
    this.#signal.throwIfAborted();
    this.#init = await startInit(layout);
    this.#reached('init started');
    this.#wait('k3s started', 'applying the plan');
    await unlessAborted(this.#init.launched, this.#signal).catch((error: unknown) => {
      throw this.#signal.aborted
        ? new Error(`Failed to launch: ${errorMessage(error)}`, { cause: error })
        : error;
    });
    this.#reached('k3s started');
  }

  async #climb(reach: Reach): Promise<void> {
    const { layout } = this.#options;
    const { plan, server } = reach;
    await climb({
      mode: plan.mode,
      dns: plan.coredns !== undefined,
      containerd: this.#containerdCheck(plan),
      metrics: applies(plan, metricsApi),
      nodeName: plan.nodeName,
      agents: plan.agents.map(({ name }) => name),
      kubeconfig: layout.k3sKubeconfig,
      server,
      ended: this.#ended(),
      signal: this.#signal,
      saw: (rung, what) => {
        this.#wait(rung, what);
      },
      reached: async (rung) => {
        this.#reached(rung);
        if (rung === SERVING) {
          await this.#publish(reach);
          void this.#handOver(reach);
        }
      },
    });
  }

  /** As soon as the cluster can be asked, whoever wants to know why it is not ready can ask it. */
  async #publish(reach: Reach): Promise<void> {
    const { inputs, layout, context, events } = this.#options;
    const { kubeconfig } = this.#state;
    const parents =
      inputs.kubeconfig === undefined ? undefined : await missingParents(inputs.kubeconfig);
    await this.#save({ kubeconfig: inputs.kubeconfig, parents });
    await writeKubeconfig(layout.k3sKubeconfig, reach.kubeconfig, {
      server: reach.server,
      name: context,
    }).catch(async (error: unknown) => {
      await this.#save({ kubeconfig });
      throw error;
    });
    this.#kubeconfig = reach.kubeconfig;
    events.kubeconfig(reach);
  }

  #containerdCheck({ containerdDropIn, isolation }: Plan): Climb['containerd'] {
    return containerdDropIn === undefined
      ? undefined
      : async (signal) => {
          const root = isolation === 'none' ? '/' : await nodeRoot(this.#launched().pid);
          await awaitContainerdConfig(root, containerdDropIn, signal);
        };
  }

  /** Beside the climb, which would not get far without: what goes wrong here, k3s may still set right. */
  async #handOver({ plan, kubeconfig }: Reach): Promise<void> {
    if (plan.coredns === undefined) {
      return;
    }
    const { coredns } = plan;
    const { events } = this.#options;
    const how = { notice: events.notice, signal: this.#signal };
    try {
      await withClient(kubeconfig, (client) => handOverCoredns(client, coredns, how));
      events.reached(this.#timeline.mark('CoreDNS handed over'));
    } catch (error) {
      if (!this.#signal.aborted) {
        events.warning(`Failed to hand CoreDNS over, k3s will do it later: ${errorMessage(error)}`);
      }
    }
  }

  /** Beside the start of the cluster: nothing in it waits for these images. */
  async #pull({ mode }: Plan): Promise<void> {
    const { inputs } = this.#options;
    if (inputs.pull.length > 0 && mode !== 'control-plane') {
      await pullImages(inputs.pull, this.#launched().pid, this.#signal);
      this.#reached(PULLED);
    }
  }

  /** The file that later steps will use, used once. */
  async #prove(kubeconfig: string): Promise<void> {
    await withClient(kubeconfig, (client) =>
      client.request('GET', '/version', { signal: this.#signal }),
    ).catch((error: unknown) => {
      throw new Error(`Failed to use the kubeconfig ${kubeconfig}: ${errorMessage(error)}`, {
        cause: error,
      });
    });
  }

  #launched(): Init {
    if (this.#init === undefined) {
      throw new Error('Failed to wait for init: it was not started');
    }
    return this.#init;
  }

  #ended(): Promise<string> {
    return this.#launched().ended;
  }

  #reached(name: string): void {
    this.#waiting.done();
    this.#options.events.reached(this.#timeline.mark(name));
  }

  #wait(rung: string, last: string): void {
    this.#rung = rung;
    this.#waiting.see({ rung, last });
  }

  /** Saved before what it names is made. */
  async #save(changes: Partial<RunState>): Promise<void> {
    this.#state = { ...this.#state, ...changes };
    await saveState(this.#options.layout.state, this.#state);
  }

  /** For a report of what went wrong, beside the logs. */
  async #note(name: string, value: unknown): Promise<void> {
    const redact = redactor(this.#state.secrets ?? []);
    await writeOwn(join(this.#options.layout.logs, name), `${redactJson(value, redact)}\n`);
  }
}

/** What was waited for, where the error is of something that goes on beside the rest. */
function rungOf(error: unknown): string | undefined {
  if (error instanceof ReadinessError) {
    return error.rung;
  }
  return error instanceof PullError ? PULLED : undefined;
}

async function missing(paths: readonly string[]): Promise<string[]> {
  const present = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => present[index] !== true);
}
