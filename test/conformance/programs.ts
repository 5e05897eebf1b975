import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from '../testbed/cache.ts';
import { command } from '../testbed/command.ts';
import { testbedDir } from '../testbed/paths.ts';

const MODULE = join(testbedDir, 'tools/e2e');

/** A directory with upstream's e2e.test and the ginkgo that runs it; about ten minutes to compile. */
export async function e2ePrograms(kubernetes: string): Promise<string> {
  const sources = await Promise.all(
    ['go.mod', 'go.sum'].map((file) => readFile(join(MODULE, file), 'utf8')),
  );
  const required = /^require k8s\.io\/kubernetes v(\S+)$/m.exec(sources[0] ?? '')?.[1];
  if (required !== kubernetes) {
    throw new Error(
      `Failed to build e2e.test ${kubernetes}: tools/e2e/go.mod requires ${String(required)}`,
    );
  }
  return cached('e2e-test', [...sources, process.arch], async (path) => {
    await mkdir(path);
    const version = 'k8s.io/component-base/version.gitVersion';
    const ldflags = `-ldflags=-s -w -X ${version}=v${kubernetes}`;
    const environment = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' };
    const go = (...args: string[]) =>
      command(['nice', '-n', '19', 'go', ...args], { cwd: MODULE, env: environment });
    const test = 'k8s.io/kubernetes/test/e2e';
    await go('test', '-c', '-vet=off', '-trimpath', ldflags, '-o', join(path, 'e2e.test'), test);
    const ginkgo = 'github.com/onsi/ginkgo/v2/ginkgo';
    await go('build', '-trimpath', '-ldflags=-s -w', '-o', join(path, 'ginkgo'), ginkgo);
  });
}
