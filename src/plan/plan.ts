import { join } from 'node:path';
import { stringify } from 'yaml';
import { InputError } from '../errors.ts';
import { disabledOf, type Component } from '../inputs/components.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { Manifest } from '../inputs/runner-config.ts';
import type { Isolation, Mode } from '../mode.ts';
import { importTars, usePrepared } from './images.ts';
import type { PreparedImages } from '../images/prepared.ts';
import { k3sPaths, PRIVATE_FILES, whyUnusable, type Layout } from '../layout.ts';
import type { Registries } from '../k3s/registries.ts';
import type { K3s } from '../k3s/unpack.ts';
import type { Launch, Operation, Step } from '../namespaces/operations.ts';
import { agentTokenStep, labelsOf, planAgents, wireStep, type Agent } from './agents.ts';
import { containerAdapter } from './container-adapter.ts';
import { memoryAdvice } from './advice.ts';
import { chooseAddresses, type Addresses } from './addresses.ts';
import type { Facts } from '../sandbox/facts.ts';
import { assertForced, decide, type Decision } from './forced.ts';
import { chooseNamespaces } from './namespaces.ts';
import { containerdConfig, kubeletConfig, mergeConfig, type ConfigFile } from './configuration.ts';
import { WORKAROUNDS } from './parts/index.ts';
import { chooseMode, type ModeChoice } from './choose-mode.ts';
import { planCoredns, type CorednsPlan } from './coredns.ts';
import { flagsBeside } from './own-flags.ts';
import { processSteps } from './processes.ts';
import {
  PHASES,
  type ConfigValue,
  type Contribution,
  type Context,
  type Phase,
  type Workaround,
} from './part.ts';

/** All that will be done, decided before anything is. */
export interface Plan {
  readonly mode: Mode;
  readonly isolation: Isolation;
  readonly fellShort: ModeChoice['fellShort'];
  readonly nodeName: string;
  readonly addresses: Addresses;
  readonly components: readonly Component[];
  readonly decisions: readonly Decision[];
  /** The file with what containerd is told; undefined where it is told nothing, or does not run. */
  readonly containerdDropIn: string | undefined;
  /** Undefined where this cluster has no DNS. */
  readonly coredns: CorednsPlan | undefined;
  /** What is missing because the user wants it so: what it is for, and what is seen without it. */
  readonly leftOut: readonly string[];
  /** What will not work though the rest does. */
  readonly warnings: readonly string[];
  /** k3s's config.yaml. */
  readonly k3sConfig: Readonly<Record<string, ConfigValue>>;
  /** What k3s may leave outside of the run's own directory. */
  readonly leftBehind: readonly string[];
  /** The steps that make what programs run on: files, kernel settings, storage, environment. */
  readonly groundwork: readonly Step[];
  readonly launch: Launch;
  /** More nodes, which the launch starts. */
  readonly agents: readonly Agent[];
}

export interface PlanInput {
  readonly facts: Facts;
  readonly inputs: Inputs;
  readonly layout: Layout;
  readonly k3s: K3s;
  /** Absolute paths of the image tars to load. */
  readonly images: readonly string[];
  /** The same, imported before. */
  readonly prepared?: PreparedImages | undefined;
  /** What the runner has in k3s's own directory of manifests. */
  readonly manifests?: readonly Manifest[];
  /** What agents join with; needed where there are any. */
  readonly agentToken?: string | undefined;
}

/** Decides everything; pure, so that it can be tested against facts of sandboxes that are not at hand. */
export function makePlan(input: PlanInput): Plan {
  const { facts, inputs, layout, k3s, images, prepared, manifests = [], agentToken = '' } = input;
  const { mode, isolation, fellShort } = chooseMode(inputs.mode, {
    facts,
    sysctls: inputs.sysctls,
  });
  const unusable = isolation === 'namespaces' ? whyUnusable(k3s.dataDir) : undefined;
  if (unusable !== undefined) {
    throw new InputError(
      `RUNNER_TOOL_CACHE, or XDG_CACHE_HOME: the path ${k3s.dataDir} ${unusable}; give another directory`,
    );
  }
  if (inputs.agents > 0 && (mode !== 'full' || isolation === 'none')) {
    throw new InputError(
      `agents: ${inputs.agents} more nodes need pods, and what can be had here is mode ${mode}`,
    );
  }
  const { components, k3sArgs, workarounds: forced } = inputs;
  assertForced(forced, { mode, isolation });
  const addresses = chooseAddresses(facts.networks, k3sArgs.networks);
  const nodeName = k3sArgs.nodeName ?? nodeNameFrom(facts.hostname);
  const context: Context = {
    facts,
    mode,
    isolation,
    components,
    sysctls: inputs.sysctls,
    layout,
    paths: k3sPaths(isolation, layout),
    addresses,
    nodeName,
    k3s,
    prepared,
    agents: inputs.agents,
  };
  const decided = WORKAROUNDS.map((part) => ({ part, decision: decide(part, context, forced) }));
  const applied = decided.flatMap(({ part, decision: { id, reason } }) =>
    reason === undefined ? [] : [{ id, reason, contribution: part.contribute(context) }],
  );
  const leftOut = decided.flatMap(({ decision }) => decision.leftOut ?? []);

  const base = {
    id: 'configuration',
    reason: 'what the action itself relies on',
    contribution: { k3s: baseConfig(inputs, nodeName, mode, layout) },
  };
  const k3sConfig = mergeConfig([
    base.contribution.k3s,
    inputs.registries === undefined ? {} : { 'private-registry': context.paths.registries },
    ...applied.map(({ contribution }) => contribution.k3s ?? {}),
  ]);
  const adapter = containerAdapter(
    applied.flatMap(({ id, contribution }) => (contribution.adaptsContainers ? [id] : [])),
    layout,
    context.paths.data,
  );
  const objects = [standardStorage(components), ...applied.map(objectsOf)].flatMap((own) =>
    Object.entries(own).map(([path, object]) => ({ path, object })),
  );
  const containerdFor = (data: string): readonly ConfigFile[] =>
    containerdConfig(
      [...applied.map(({ contribution }) => contribution.containerd ?? {}), adapter.containerd],
      k3s.containerdDropIns,
      data,
    );
  const configure = (data: string): Operation[] => [
    ...configFile(
      `${data}/agent/etc/kubelet.conf.d/50-k3s-in-gvisor.conf`,
      kubeletConfig(applied.map(({ contribution }) => contribution.kubelet ?? {})),
    ),
    ...containerdFor(data).flatMap(({ path, content }) => configFile(path, content)),
    ...(prepared !== undefined && isolation === 'namespaces'
      ? usePrepared(prepared, `${data}/agent/containerd`)
      : importTars(images, data, isolation)),
  ];
  const configuration: Step = {
    id: 'configuration',
    reason: "k3s's, the kubelet's and containerd's configuration, as files",
    operations: [
      ...configFile(context.paths.config, stringify(k3sConfig)),
      ...(objects.length === 0 || isolation === 'none'
        ? []
        : configFile(OBJECTS, JSON.stringify(objects))),
      ...adapter.operations,
      ...configure(context.paths.data),
    ],
  };
  const stepsOf = (phases: readonly Phase[]): Step[] =>
    phases.flatMap((phase) =>
      applied.flatMap(({ id, reason, contribution }): Step[] => {
        const operations = contribution.operations?.[phase] ?? [];
        return operations.length === 0 ? [] : [{ id, reason, operations }];
      }),
    );
  const variables = Object.assign(
    {},
    ENVIRONMENT,
    { K3S_CONFIG_FILE: context.paths.config },
    ...applied.map(({ contribution }) => contribution.environment ?? {}),
  ) as Record<string, string>;
  const environment: Step = {
    id: 'environment',
    reason: 'for every process',
    operations: Object.entries(variables).map(([key, value]): Operation => [
      'environment',
      key,
      value,
    ]),
  };

  const wrapper = applied.flatMap(({ contribution }) => contribution.wrapper ?? []);
  const agents =
    inputs.agents === 0
      ? []
      : planAgents(context, {
          count: inputs.agents,
          labels: inputs.nodeLabels,
          flags: k3sArgs.flags,
          token: agentToken,
          wrapper,
          environment: variables,
          configure,
        });

  return {
    mode,
    isolation,
    fellShort,
    nodeName,
    addresses,
    components,
    decisions: decided.map(({ decision }) => decision),
    containerdDropIn:
      mode === 'control-plane' ? undefined : containerdFor(context.paths.data)[0]?.path,
    coredns: planCoredns(context, inputs),
    leftOut,
    warnings: [
      ...applied.flatMap(({ contribution }) => contribution.warning ?? []),
      ...memoryAdvice(facts),
      ...leftOut,
    ],
    k3sConfig,
    leftBehind: applied.flatMap(({ contribution }) => contribution.leftBehind ?? []),
    groundwork: [...stepsOf(GROUNDWORK), environment],
    launch: {
      ...chooseNamespaces({ isolation, facts, forced }),
      steps: [
        ...stepsOf(PHASES),
        configuration,
        ...registriesStep(inputs.registries, context),
        ...manifestsStep(manifests, context),
        environment,
        ...(agents.length === 0
          ? []
          : [wireStep(agents), agentTokenStep(context.paths.config, agentToken)]),
        ...processSteps(context, flagsBeside(k3sArgs.flags, [base, ...applied]), {
          denyOutside: inputs.denyOutside,
          runnerPorts: inputs.registries?.localPorts ?? [],
          outbound: applied
            .map(({ contribution }) => contribution.outbound)
            .find((proxy) => proxy !== undefined),
          wrapper,
          controller: [
            ...applied.flatMap(({ contribution }) => contribution.controller ?? []),
            ...(objects.length === 0 ? [] : ['--objects', OBJECTS]),
          ],
          agents,
        }),
      ],
    },
    agents,
  };
}

/** Whether the plan has the workaround in it. */
export function applies(plan: Plan, { id }: Workaround): boolean {
  return plan.decisions.some((decision) => decision.id === id && decision.reason !== undefined);
}

const GROUNDWORK: readonly Phase[] = ['layer', 'root', 'system', 'storage'];

/** What the controller applies as soon as the API server answers. */
const OBJECTS = join(PRIVATE_FILES, 'objects.json');

function objectsOf({ contribution }: { contribution: Contribution }): Record<string, object> {
  return contribution.objects ?? {};
}

/** Values written for kind and minikube name this class; k3s's own is called local-path. */
function standardStorage(components: readonly Component[]): Record<string, object> {
  const name = 'standard';
  return components.includes('local-storage')
    ? {
        [`/apis/storage.k8s.io/v1/storageclasses/${name}`]: {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'StorageClass',
          metadata: { name },
          provisioner: 'rancher.io/local-path',
          reclaimPolicy: 'Delete',
          volumeBindingMode: 'WaitForFirstConsumer',
        },
      }
    : {};
}

/** init gives its processes what the launch file says and nothing of the runner's. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
};

/** A DNS label (RFC 1123) made of the runner's host name, as the kubelet wants it. */
export function nodeNameFrom(hostname: string): string {
  const label = hostname
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, 63)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return label === '' ? 'runner' : label;
}

function baseConfig(
  { components, k3sArgs, nodeLabels }: Inputs,
  nodeName: string,
  mode: Mode,
  layout: Layout,
): Record<string, ConfigValue> {
  return {
    'node-name': nodeName,
    ...labelsOf(nodeLabels, 'server'),
    'write-kubeconfig': layout.k3sKubeconfig,
    'write-kubeconfig-mode': '0600',
    disable: [...new Set([...disabledOf(components), ...k3sArgs.disable])],
    'disable-helm-controller': !components.includes('helm-controller'),
    ...(mode === 'control-plane'
      ? { 'disable-agent': true, 'egress-selector-mode': 'cluster' }
      : {}),
  };
}

function registriesStep(registries: Registries | undefined, { paths }: Context): Step[] {
  return registries === undefined
    ? []
    : [
        {
          id: 'registries',
          reason: 'mirrors and credentials of the input registries',
          isSecret: true,
          operations: configFile(paths.registries, registries.content),
        },
      ];
}

/** k3s applies them once it runs; its data directory is new with every run. */
function manifestsStep(manifests: readonly Manifest[], { paths }: Context): Step[] {
  return manifests.length === 0
    ? []
    : [
        {
          id: 'manifests',
          reason: "manifests that are in the runner's k3s directory",
          isSecret: true,
          operations: manifests.flatMap(({ path, content }) =>
            configFile(join(paths.data, 'server', 'manifests', path), content),
          ),
        },
      ];
}

function configFile(path: string, content: string): Operation[] {
  return [
    ['directory', path.slice(0, path.lastIndexOf('/')), '0755'],
    ['write', path, '0600', content],
  ];
}
