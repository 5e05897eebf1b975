import { isDeepStrictEqual } from 'node:util';
import type { Inputs } from '../inputs/inputs.ts';
import type { Manifest } from '../inputs/runner-config.ts';
import type { InstalledK3s } from '../k3s/install.ts';
import { mayAnswer } from '../k3s/version.ts';
import type { Mode } from '../mode.ts';

/** What inputs decide of a cluster for good, each by the name of its input; as JSON, to be kept. */
export type Decided = Readonly<Record<string, unknown>>;

/** What runs. */
export interface Running {
  readonly mode: Mode;
  readonly k3s: Pick<InstalledK3s, 'version' | 'sha256'>;
}

/**
 * @param inputs with what the runner's own k3s configuration adds
 * @param manifests what the runner had in k3s's directory of manifests
 */
export function decidedBy(inputs: Inputs, manifests: readonly Manifest[]): Decided {
  const { source, checksum, k3sArgs } = inputs;
  const { flags, networks, nodeName } = k3sArgs;
  return JSON.parse(
    JSON.stringify({
      k3s: { source, checksum },
      mode: inputs.mode,
      sysctls: inputs.sysctls,
      components: [...inputs.components].sort(),
      'k3s-args': { flags: flags.map(({ name, value }) => ({ name, value })), networks, nodeName },
      agents: inputs.agents,
      'node-labels': [...inputs.nodeLabels],
      workarounds: [...inputs.workarounds].sort(),
      'id-map-helper': inputs.idMapHelper,
      registries: inputs.registries?.content,
      'deny-outside': [...inputs.denyOutside].sort(),
      airgap: inputs.airgap,
      "the runner's manifests": manifests,
    }),
  ) as Decided;
}

/** Wishes that leave the choice: whatever was chosen is fine. */
const ANY: Readonly<Record<string, unknown>> = {
  sysctls: 'auto',
  'id-map-helper': undefined,
  airgap: false,
};

/**
 * Why a running cluster is not what is wanted, an entry for each input; empty if it fits. Never with
 * what an input says: registries and flags hold secrets.
 */
export function misfits(running: Running, decided: Decided, wanted: Decided): string[] {
  const { k3s, mode, ...others } = wanted;
  const odd = Object.keys({ ...decided, ...others }).filter(
    (name) =>
      name !== 'k3s' &&
      name !== 'mode' &&
      !isDeepStrictEqual(decided[name], others[name]) &&
      !(name in ANY && ANY[name] === others[name]),
  );
  return [
    ...(fitsK3s(running.k3s, decided['k3s'], k3s as WantedK3s)
      ? []
      : [`version: another k3s is wanted than ${running.k3s.version}, which runs`]),
    ...(mode === 'auto' || mode === running.mode
      ? []
      : [`mode: ${String(mode)} is wanted, ${running.mode} runs`]),
    ...odd.map((name) => `${name}: not what the cluster was started with`),
  ];
}

type WantedK3s = Pick<Inputs, 'source'> & { readonly checksum?: string };

/** The same request; or, however it came here, a version or the very binary that is wanted. */
function fitsK3s(running: Running['k3s'], decided: unknown, wanted: WantedK3s): boolean {
  const { source, checksum } = wanted;
  if (checksum !== undefined) {
    return checksum === running.sha256;
  }
  return (
    isDeepStrictEqual(decided, wanted) ||
    (source.kind === 'release' && mayAnswer(source.version, running.version))
  );
}
