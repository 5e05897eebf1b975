import type { ApiClient } from '../kubernetes/client.ts';
import { compiler, type Compiled, type Objects } from './services/compile.ts';
import type { Config } from './config.ts';
import { EventRecorder } from './events.ts';
import { Gateway } from './gateway/session.ts';
import type { Metric } from './health.ts';
import { Informers, type Changes } from './informers.ts';
import type { Log } from '../log.ts';
import type { Notice } from './notice.ts';
import { compilePolicies } from './policy/compile.ts';
import { policyNotices } from './policy/troubles.ts';
import { ingressFor, StatusWriter } from './services/status.ts';
import type { Table } from './gateway/table.ts';

const STATUS_RETRY_MS = 1000;

/**
 * Objects in, table out: the informers feed the compiler, its table goes to the gateway, and what
 * the gateway made of it becomes load-balancer statuses and Events.
 */
export class Network {
  readonly #balancers: string;
  readonly #informers: Informers;
  readonly #gateway: Gateway;
  readonly #events: EventRecorder;
  readonly #statuses: StatusWriter;
  readonly #compile: (objects: Objects) => Compiled;
  #ready: (() => void) | undefined;
  #compiled: Compiled | undefined;
  #policies: Table = new Map();
  #compiles = 0;
  #policyCompiles = 0;
  #compileSeconds = 0;

  constructor(config: Config, client: ApiClient, say: Log, ready: () => void) {
    const publish = () => {
      this.#publish();
    };
    this.#balancers = config.balancers;
    this.#ready = ready;
    this.#compile = compiler({
      name: config.nodeName,
      ip: config.nodeIp,
      agents: config.agents,
      balancers: config.balancers,
    });
    this.#informers = new Informers(
      client,
      new Set([config.nodeName, ...config.agents.map(({ name }) => name)]),
      (changes) => {
        this.#recompile(changes);
      },
      say,
    );
    this.#gateway = new Gateway(config.control, publish, say);
    this.#events = new EventRecorder(client, config.nodeName, say);
    this.#statuses = new StatusWriter(client, () => setTimeout(publish, STATUS_RETRY_MS), say);
  }

  /** Goes on until the signal is aborted, with whose reason it rejects. */
  run(signal: AbortSignal): Promise<never> {
    return Promise.race([this.#gateway.run(signal), this.#informers.run(signal)]);
  }

  /** What is missing; undefined when the table is complete and in force. */
  notReady(): string | undefined {
    if (!this.#informers.synced) return 'the API server has not been listed';
    if (!this.#gateway.synced) return 'the gateway does not have the whole table';
    return undefined;
  }

  metrics(): Metric[] {
    const ready = this.notReady() === undefined;
    return [
      gauge('ready', '1 when the table is complete and in force.', ready ? 1 : 0),
      gauge('frontends', 'Frontends the objects ask for.', this.#compiled?.table.size ?? 0),
      gauge('policies', 'Pods isolated by policies, each direction.', this.#policies.size),
      gauge('refused', 'Entries of the table the gateway refused.', this.#gateway.refusals.size),
      gauge('notices', 'What objects ask for in vain.', this.#compiled?.notices.length ?? 0),
      gauge('resident_bytes', 'Resident memory.', process.memoryUsage.rss()),
      counter('compiles', 'Times the Services were compiled.', this.#compiles),
      counter('policy_compiles', 'Times the policies were compiled.', this.#policyCompiles),
      counter('compile_seconds', 'Seconds spent compiling.', this.#compileSeconds),
      counter('gateway_sessions', 'Connections made to the gateway.', this.#gateway.sessions),
      counter('watch_failures', 'Lists and watches that failed.', this.#informers.failures),
      counter('events', 'Events recorded.', this.#events.recorded),
    ];
  }

  #recompile({ services, policies }: Changes): void {
    const started = performance.now();
    if (services || !this.#compiled) {
      this.#compiled = this.#compile(this.#informers.objects);
      this.#compiles += 1;
    }
    if (policies) {
      this.#policies = compilePolicies(this.#informers.policies);
      this.#policyCompiles += 1;
    }
    this.#compileSeconds += (performance.now() - started) / 1000;
    this.#gateway.apply(new Map([...this.#policies, ...this.#compiled.table]));
  }

  /** Says what is in force; never what is only under way, or statuses would flap. */
  #publish(): void {
    if (!this.#compiled || !this.#gateway.synced) return;
    this.#ready?.();
    this.#ready = undefined;
    this.#events.report([
      ...this.#compiled.notices,
      ...this.#refused(this.#compiled),
      ...policyNotices(this.#informers.policies, this.#gateway.troubles),
    ]);

    const reachable = this.#reachable(this.#compiled);
    const prefix = this.#balancers.slice(0, this.#balancers.lastIndexOf('.') + 1);
    const isOurs = (address: string): boolean => address.startsWith(prefix);
    const uids = new Set<string>();
    for (const service of this.#informers.objects.services) {
      uids.add(service.ref.uid);
      const ingress = ingressFor(service, reachable.get(service.ref.uid), isOurs);
      if (ingress) this.#statuses.write(service, ingress);
    }
    this.#statuses.forgetAllBut(uids);
  }

  /** The addresses of the load balancers whose every port is in force, by the Service's uid. */
  #reachable({ loadBalancers }: Compiled): ReadonlyMap<string, string> {
    const reachable = loadBalancers.filter(
      ({ service, keys, hasEndpoints }) =>
        keys.length > 0 &&
        keys.every((key) => this.#gateway.isListening(key)) &&
        // Where only local endpoints count, k3s announces no node that has none.
        (hasEndpoints || !service.externalLocal),
    );
    return new Map(reachable.map(({ service, address }) => [service.ref.uid, address]));
  }

  #refused({ owners }: Compiled): Notice[] {
    return [...this.#gateway.refusals].flatMap(([key, { message }]) => {
      const about = owners.get(key);
      return about ? [{ about, reason: 'FrontendRefused', message }] : [];
    });
  }
}

function gauge(name: string, help: string, value: number): Metric {
  return { name: `k3s_in_gvisor_${name}`, type: 'gauge', help, value };
}

function counter(name: string, help: string, value: number): Metric {
  return { name: `k3s_in_gvisor_${name}_total`, type: 'counter', help, value };
}
