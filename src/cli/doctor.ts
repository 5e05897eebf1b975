import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutOf } from '../layout.ts';
import { MODES, type Mode } from '../mode.ts';
import { memoryAdvice } from '../plan/advice.ts';
import { reach, type Shortfall } from '../plan/choose-mode.ts';
import { PLANNED_SYSCTLS } from '../plan/sysctls.ts';
import type { Facts } from '../sandbox/facts.ts';
import { gatherFacts } from '../sandbox/gather.ts';

/** What this runner could run, found without running it. */
export interface Diagnosis {
  /** The most that can be had here; undefined where nothing can. */
  readonly mode: Mode | undefined;
  readonly fellShort: readonly Shortfall[];
  readonly facts: Facts;
}

/** By mode: a script that wants pods asks for 0, one that is content with less for what it takes. */
export function exitCode({ mode }: Pick<Diagnosis, 'mode'>): number {
  return mode === 'full' ? 0 : mode === 'node' ? 3 : mode === 'control-plane' ? 4 : 5;
}

/** Finds the facts in a directory of its own, which is removed again, and says what they allow. */
export async function diagnose(dist: string, idMapHelper: string | undefined): Promise<Diagnosis> {
  const directory = await mkdtemp(join(tmpdir(), 'k3s-in-gvisor-doctor-'));
  try {
    const layout = layoutOf(directory, dist, process.arch, process.execPath);
    await mkdir(layout.scratch, { recursive: true });
    const facts = await gatherFacts(layout, { sysctls: PLANNED_SYSCTLS, idMapHelper });
    const { mode, fellShort } = reach(MODES, { facts, sysctls: 'auto' });
    return { mode, fellShort, facts };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The diagnosis for a terminal: the verdict first, then what stands in the way, then the evidence. */
export function renderDiagnosis({ mode, fellShort, facts }: Diagnosis): string {
  const verdict =
    mode === undefined
      ? 'Nothing can run here.'
      : `Mode ${mode} can run here${mode === 'full' ? ': pods run.' : '.'}`;
  const probes = Object.entries(facts.probes).map(
    ([name, { result, evidence }]) =>
      `  ${result.padEnd(8)}${name}${evidence === '' ? '' : `: ${evidence}`}`,
  );
  return [
    verdict,
    ...memoryAdvice(facts).flatMap((advice) => ['', advice]),
    ...fellShort.flatMap(({ mode: missed, obstacles }) => [
      '',
      `In the way of mode ${missed}:`,
      ...[...new Set(obstacles)].map((obstacle) => `  - ${obstacle}`),
    ]),
    '',
    'What was tried:',
    ...probes,
  ].join('\n');
}
