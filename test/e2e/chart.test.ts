import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startClusterSandbox, type ClusterSandboxOptions } from '../testbed/cluster.ts';
import { kubernetesVersion, testedVersions } from '../testbed/k3s.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { WITH_HELPER } from '../testbed/runner-image.ts';
import { runWorkflow, type WorkflowResult } from '../testbed/workflow.ts';
import { ROOT } from './support/job.ts';
import { inFull } from './support/profiles.ts';
import { kernelState } from './support/snapshot.ts';

const EVIDENCE = '/home/runner/evidence';

interface Pod {
  metadata: { name: string; namespace: string };
  status: { phase: string; podIP?: string; conditions: { type: string; status: string }[] };
}

const others = testedVersions.filter((version) => version !== kubernetesVersion);

describe.each<readonly [string, ClusterSandboxOptions]>([
  ['stock', { profile: 'stock' }],
  ...inFull(['privileged', { profile: 'privileged' }] as const),
  ['stock with cgroup v2', { profile: 'stock', cgroup: 'v2' }],
  ['stock with the runsc of February 2026', { profile: 'stock', runsc: '2026-02' }],
  ['stock as a user who is not root', WITH_HELPER],
  ...others.map((kubernetes) => [`stock with ${kubernetes}`, { kubernetes }] as const),
])('the chart workflow in %s', (_, options) => {
  let sandbox: Sandbox;
  let result: WorkflowResult;
  let before: Awaited<ReturnType<typeof kernelState>>;

  beforeAll(async () => {
    sandbox = await startClusterSandbox(options);
    before = await kernelState(sandbox);
    result = await runWorkflow(sandbox, {
      workflowFile: join(ROOT, 'test/e2e/workflows/chart.yml'),
      repoDir: ROOT,
      env: { EVIDENCE },
    });
  });
  afterAll(() => sandbox.stop());

  const evidence = async (name: string): Promise<string> =>
    (await sandbox.exec(['cat', join(EVIDENCE, name)])).stdout;

  test('succeeds', () => {
    expect(result.code, result.log).toBe(0);
  });

  test('the node is Ready', async () => {
    const { items } = JSON.parse(await evidence('nodes.json')) as {
      items: { metadata: { name: string }; status: Pod['status'] }[];
    };
    expect(items.map(({ metadata }) => metadata.name)).toEqual([sandbox.name]);
    expect(items[0]?.status.conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'True' }),
    );
  });

  test('every pod that is to run is Running and Ready, with an address', async () => {
    const { items } = JSON.parse(await evidence('pods.json')) as { items: Pod[] };
    const running = items.filter(({ metadata }) => !metadata.name.endsWith('-test'));
    const names = running.map(({ metadata }) => metadata.name.replace(/-[^-]+-[^-]+$/, ''));
    expect(names.sort()).toEqual([
      'coredns',
      'hostnginx-nginx',
      'local-path-provisioner',
      'mynginx-nginx',
      'mynginx-nginx',
    ]);
    for (const { metadata, status } of running) {
      expect(status, metadata.name).toMatchObject({ phase: 'Running' });
      expect(status.podIP).toMatch(/^10\.42\.0\.\d+$/);
      expect(status.conditions, metadata.name).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'True' }),
      );
    }
  });

  test('helm test passed, through the Service by its DNS name', async () => {
    const { items } = JSON.parse(await evidence('pods.json')) as { items: Pod[] };
    const tests = items.filter(({ metadata }) => metadata.name.endsWith('-test'));
    expect(tests.map(({ status }) => status.phase)).toEqual(['Succeeded', 'Succeeded']);
    expect(result.log.match(/Phase:\s+Succeeded/g)).toHaveLength(2);
    expect(result.log).toContain('<h1>It works.</h1>');
  });

  test('the outputs say what runs, and where', async () => {
    const outputs = JSON.parse(await evidence('outputs.json')) as Record<string, string>;
    expect(outputs).toEqual({
      kubeconfig: expect.stringMatching(/\/k3s-in-gvisor-\w+\/kubeconfig$/) as string,
      mode: 'full',
      'cache-hit': 'false',
      version: `v${options.kubernetes ?? kubernetesVersion}+k3s1`,
      'node-name': sandbox.name,
      'api-server': 'https://127.0.0.1:6443',
      logs: expect.stringMatching(/\/k3s-in-gvisor-\w+\/logs$/) as string,
      bundle: expect.stringMatching(/\/k3s-in-gvisor-\w+\/bundle$/) as string,
    });
    expect(await evidence('environment')).toBe(`${outputs['kubeconfig'] ?? ''}\n`);
    expect((await evidence('logs')).split('\n')).toEqual(
      expect.arrayContaining(['controller.log', 'gateway.log', 'init.log', 'k3s.log', 'pods']),
    );
  });

  test("later steps find k3s's kubectl on their PATH", async () => {
    expect(await evidence('kubectl')).toMatch(/\/k3s-in-gvisor\/.*\/bin\/kubectl\n$/);
  });

  test('nothing is traced', async () => {
    const tracers = (await evidence('tracers')).trim().split('\n');
    // k3s, its components, containerd and the pods are processes of the runner's pid namespace too.
    expect(tracers.length).toBeGreaterThan(10);
    expect(new Set(tracers)).toEqual(new Set(['TracerPid:\t0']));
    expect(await evidence('processes')).not.toContain('interceptor');
  });

  test('post left no process, mount, link, listener, namespace or cgroup', async () => {
    const after = await kernelState(sandbox);
    // A v2 tree is inherited read-only, so what was made in a mount of our own cannot be removed
    // (docs/architecture.md): empty cgroups stay until the sandbox ends.
    const ours = /^\/sys\/fs\/cgroup\/(k3s-in-gvisor-\w+|k3s)(\/|$)/;
    const cgroups =
      options.cgroup === 'v2' ? after.cgroups.filter((path) => !ours.test(path)) : after.cgroups;
    expect({ ...after, cgroups }).toEqual(before);
  });
});
