import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { exportKubectl, skewOf } from '../../../src/action/kubectl.ts';

it.each([
  ['v1.36.1', 'v1.36.3+k3s1', 0],
  ['v1.30.0', 'v1.36.3+k3s1', 6],
  ['v1.37.0-rc.1', 'v1.36.3+k3s1', 1],
  [undefined, 'v1.36.3+k3s1', undefined],
  ['of a fork', 'v1.36.3+k3s1', undefined],
])('between kubectl %s and Kubernetes %s lie %s minor versions', (client, server, skew) => {
  expect(skewOf(client, server)).toBe(skew);
});

describe('of later steps', () => {
  const K3S = { version: 'v1.36.3+k3s1', tools: '/k3s/bin' };
  let directory: string;
  let said: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kubectl-'));
    said = '';
    vi.stubEnv('PATH', directory);
    writeFileSync(join(directory, 'added'), '');
    vi.stubEnv('GITHUB_PATH', join(directory, 'added'));
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said += text.toString();
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  });

  const kubectl = (script: string): void => {
    writeFileSync(join(directory, 'kubectl'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, 'kubectl'), 0o755);
  };
  const of = (version: string): string => `echo '{"clientVersion": {"gitVersion": "${version}"}}'`;
  const added = (): string => readFileSync(join(directory, 'added'), 'utf8');

  it("the kubectl is k3s's where there is none", async () => {
    await exportKubectl(K3S);
    expect(added()).toBe('/k3s/bin\n');
    expect(said).toBe('');
  });

  it('one that does not go with the server stays, and is named with the one that does', async () => {
    kubectl(of('v1.30.0'));
    await exportKubectl(K3S);
    expect(added()).toBe('');
    expect(said).toMatch(
      /^::notice::The runner's kubectl v1\.30\.0 \(.*\/kubectl\) does not go with Kubernetes v1\.36\.3\+k3s1; the one that does is \/k3s\/bin\/kubectl\n$/,
    );
  });

  it.each([
    ['of the next version', of('v1.37.0')],
    ['that does not say what it is', 'exit 1'],
  ])('one %s stays, and nothing is said', async (_, script) => {
    kubectl(script);
    await exportKubectl(K3S);
    expect(added()).toBe('');
    expect(said).toBe('');
  });
});
