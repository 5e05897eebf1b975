import { globSync } from 'node:fs';
import { join } from 'node:path';

import { CHART_IMAGES, OWN_IMAGES } from './cluster.ts';
import { command } from './command.ts';
import { image, imageNames, type ImageName } from './images/images.ts';
import { k3s, kubernetesVersion, testedVersions } from './k3s.ts';
import type { Step } from './lanes.ts';
import { cacheDir, testbedDir } from './paths.ts';
import { official, released } from './releases.ts';
import { COMPILER, rootfs } from './rootfs.ts';
import { tool, tools, type Tool } from './tools.ts';

/**
 * What the demo's one workflow uses: the longer lane begins with what must be installed for it, the
 * other one with what needs no more than Go.
 */
export async function forDemo(): Promise<Step[][]> {
  const install = await packages('demo');
  if (official()) {
    return [
      [install, root(), images(CHART_IMAGES)],
      [release('runsc', 5), release('k3s', 10), release('airgap-images', 20)],
      [release('act', 5), release('helm', 5), program('outside')],
    ];
  }
  const tools: readonly Tool[] = ['runsc', 'helm', 'act', 'outside', 'coredns'];
  return [
    [install, ...standIns([kubernetesVersion])],
    [
      ...tools.map(program),
      // Most of it is compiled for k3s as well: the later, the less is left of it.
      program('local-path-provisioner'),
      root(),
      images([...OWN_IMAGES, ...CHART_IMAGES]),
    ],
  ];
}

/** What the tests use; Debian's packages are installed before dist is built. */
export function forTests(): Step[][] {
  return [
    standIns(testedVersions),
    [...tools.map(program), root(), root('compiler', COMPILER), images(imageNames)],
  ];
}

/** By itself on two cores, the download of its modules included. */
const SECONDS: Readonly<Partial<Record<Tool, number>>> = {
  runsc: 60,
  'runsc-2026-02': 40,
  helm: 80,
  act: 30,
  coredns: 45,
  'local-path-provisioner': 25,
  agnhost: 40,
  outside: 15,
  'seccomp-profile': 5,
};

const program = (name: Tool): Step => ({
  name,
  seconds: SECONDS[name] ?? 60,
  made: inCache(name),
  make: () => tool(name),
});

const release = (name: string, seconds: number): Step => ({
  name: `the official ${name}`,
  seconds,
  made: inCache(`release-${name}`),
  make: () => released(name),
});

/** None where a binary is given. */
function standIns(versions: readonly string[]): Step[] {
  if (process.env['K3S'] ?? official()) return [];
  return versions.map((version) => ({
    name: `k3s ${version}`,
    seconds: 330,
    made: inCache(`k3s-standin-${version}`),
    make: () => k3s(version),
  }));
}

const root = (name = 'root file system', more: readonly string[] = []): Step => ({
  name,
  seconds: 25,
  made: inCache('rootfs'),
  make: () => rootfs(more),
});

const images = (names: readonly ImageName[]): Step => ({
  name: 'images',
  seconds: 30,
  made: names.every((name) => inCache(`image-${name}`)),
  make: async () => {
    for (const name of names) await image(name);
  },
});

async function packages(which: 'demo'): Promise<Step> {
  const script = join(testbedDir, 'packages');
  return {
    name: 'Debian packages',
    seconds: 40,
    made: (await command([script, which, 'missing'])).trim() === '',
    make: () => command([script, which]),
  };
}

/** Whether some build of it is there; one of other sources, at worst, and the estimate is too short. */
const inCache = (thing: string) =>
  globSync(`${thing}-${'[0-9a-f]'.repeat(16)}`, { cwd: cacheDir }).length > 0;
