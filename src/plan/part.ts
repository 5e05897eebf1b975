import type { PreparedImages } from '../images/prepared.ts';
import type { Component } from '../inputs/components.ts';
import type { K3s } from '../k3s/unpack.ts';
import type { Isolation, Mode, Sysctls } from '../mode.ts';
import type { Operation } from '../namespaces/operations.ts';
import type { Addresses } from './addresses.ts';
import type { OutboundProxy } from './outbound-proxy.ts';
import type { Facts } from '../sandbox/facts.ts';
import type { K3sPaths, Layout } from '../layout.ts';

/** A value of k3s's config.yaml or of the kubelet's configuration. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[];

export interface Context {
  readonly facts: Facts;
  readonly mode: Mode;
  readonly isolation: Isolation;
  readonly components: readonly Component[];
  readonly sysctls: Sysctls;
  readonly layout: Layout;
  readonly paths: K3sPaths;
  readonly addresses: Addresses;
  readonly nodeName: string;
  readonly k3s: K3s;
  readonly prepared: PreparedImages | undefined;
  /** How many nodes there are beside the server's. */
  readonly agents: number;
}

/**
 * Where in the launch operations go; the order of the phases is the order of their running.
 * `layer` prepares the private root's writable layer, `root` writes below `layout.newRoot` before it
 * is entered, the others run after.
 */
export const PHASES = ['layer', 'root', 'system', 'storage', 'network', 'files'] as const;
export type Phase = (typeof PHASES)[number];

/** What a workaround adds to the plan: data only, so that a plan can be tested without a sandbox. */
export interface Contribution {
  readonly operations?: Partial<Readonly<Record<Phase, readonly Operation[]>>>;
  /** Merged into k3s's config.yaml: lists are joined, other values must not collide. */
  readonly k3s?: Readonly<Record<string, ConfigValue>>;
  /** Fields of a KubeletConfiguration drop-in. */
  readonly kubelet?: Readonly<Record<string, ConfigValue>>;
  /** Lines of a containerd configuration drop-in (version 3), by table. */
  readonly containerd?: Readonly<Record<string, Readonly<Record<string, ConfigValue>>>>;
  /** Arguments of the network controller. */
  readonly controller?: readonly string[];
  /** A way for pods' TCP to the outside, where there is no other. */
  readonly outbound?: OutboundProxy | undefined;
  /** Whether native/adapter has a part of the same name, to be applied to each container. */
  readonly adaptsContainers?: boolean;
  /** Objects the cluster has as soon as its API server answers, by their paths in the API. */
  readonly objects?: Readonly<Record<string, object>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** A program and its arguments that k3s is run under. */
  readonly wrapper?: readonly string[];
  /** What will not work though the rest does, and what to change. */
  readonly warning?: string | undefined;
  /** Paths outside of the run's own directory that k3s writes, to be removed if they were not there before. */
  readonly leftBehind?: readonly string[];
}

/** The modes in which there is a node. */
export const WITH_NODE: readonly Mode[] = ['full', 'node'];

/** Where a part can have its place at all; anywhere, where nothing is said. */
export interface Where {
  readonly isolation?: Isolation;
  readonly modes?: readonly Mode[];
}

export interface Workaround {
  /** Names it in the log, the summary and docs/workarounds.md. */
  readonly id: string;
  /**
   * `foundation`: the others build on it, so it cannot be forced off; `workaround`: for something that
   * the sandbox lacks; `tuning`: things work without, but worse.
   */
  readonly kind: 'foundation' | 'workaround' | 'tuning';
  readonly where: Where;
  /** The literal error that is seen without it, and of what. */
  readonly symptom: string;
  /** Where the cause can be read. */
  readonly source: string;
  /** When this file can be deleted. */
  readonly removeWhen: string;
  /** Paths below /proc/sys whose values it decides by. */
  readonly sysctls?: readonly string[];
  /** Why it is needed here, in words for the log; undefined where it is not. Asked only `where` it has a place. */
  needed(context: Context): string | undefined;
  contribute(context: Context): Contribution;
}
