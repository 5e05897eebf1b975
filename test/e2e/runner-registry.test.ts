import { afterAll, beforeAll, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { tool } from '../testbed/tools.ts';
import { follow, type Followed } from './support/follow.ts';
import { Job, WORKSPACE } from './support/job.ts';

const PROGRAM = '/opt/registry';
/** A copy of it where pods find it: mounts of the runner are not the node's. */
const SHARED_PROGRAM = `${WORKSPACE}/registry`;
/** What a step has pushed to a registry on the runner's 127.0.0.1:5000. */
const PUSHED = 'localhost:5000/rancher/mirrored-library-busybox:1.37.0';
const MIRRORS = '{mirrors: {"localhost:5000": {endpoint: ["http://localhost:5000"]}}}';
/** To a registry that is a pod, at a node port. */
const PUSHED_INSIDE = 'localhost:30500/app/busybox:1';

let sandbox: Sandbox;
let job: Job;
let registry: Followed;

/** A pod that is ready has pulled its image: no other pod has it by that name. */
const runs = async (name: string, image: string): Promise<void> => {
  await job.must(['kubectl', 'run', name, `--image=${image}`, '--', 'sleep', '600']);
  await job.must(['kubectl', 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=120s']);
};

/** What `docker push` does, of an image that another registry has. */
const COPY = `
const [from, to] = process.argv.slice(1).map((image) => {
  const [, host, path, tag] = /^([^/]+)\\/(.+):(.+)$/.exec(image);
  return { base: 'http://' + host + '/v2/' + path, tag };
});
const must = async (response) => {
  if (!response.ok) throw new Error(response.url + ': ' + response.status);
  return response;
};
const manifest = await must(await fetch(from.base + '/manifests/' + from.tag));
const type = manifest.headers.get('content-type');
const text = await manifest.text();
const { config, layers } = JSON.parse(text);
for (const { digest } of [config, ...layers]) {
  const body = await (await must(await fetch(from.base + '/blobs/' + digest))).arrayBuffer();
  const begun = await must(await fetch(to.base + '/blobs/uploads/', { method: 'POST' }));
  const url = new URL(begun.headers.get('location'), to.base);
  url.searchParams.set('digest', digest);
  await must(await fetch(url, { method: 'PUT', body }));
}
const headers = { 'content-type': type };
await must(await fetch(to.base + '/manifests/' + to.tag, { method: 'PUT', headers, body: text }));
`;

beforeAll(async () => {
  sandbox = await startClusterSandbox({
    mounts: [{ source: await tool('outside'), destination: PROGRAM, readonly: true }],
  });
  job = await Job.create(sandbox);
  await job.must(['cp', PROGRAM, SHARED_PROGRAM]);
  registry = follow(job, [...[PROGRAM, '-address', '127.0.0.1'], `${IMAGES_PATH}/busybox.tar`]);
  await registry.next(/^ready$/);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await sandbox.stop();
});

test("the node pulls from a registry on the runner's own localhost, by the runner's own file", async () => {
  const write = 'mkdir -p /etc/rancher/k3s && printf %s "$1" >/etc/rancher/k3s/registries.yaml';
  await job.must(['sh', '-c', write, 'sh', MIRRORS]);
  const { log } = await job.mustMain({
    inputs: {
      'k3s-path': K3S_PATH,
      images: `${IMAGES_PATH}/*.tar`,
      mode: 'full',
      pull: PUSHED,
    },
  });
  expect(log).toContain('images pulled');
  await runs('pushed', PUSHED);
});

test('what a step pushes to a node port, pods are made of', async () => {
  const inside = {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'registry', labels: { app: 'registry' } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name: 'registry',
              image: 'rancher/mirrored-library-busybox:1.37.0',
              command: [PROGRAM, '-address', '0.0.0.0'],
              readinessProbe: { httpGet: { path: '/v2/', port: 5000 }, periodSeconds: 1 },
              volumeMounts: [{ name: 'program', mountPath: PROGRAM }],
            },
          ],
          volumes: [{ name: 'program', hostPath: { path: SHARED_PROGRAM } }],
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'registry' },
        spec: {
          type: 'NodePort',
          selector: { app: 'registry' },
          ports: [{ port: 5000, nodePort: 30500 }],
        },
      },
    ],
  };
  const apply = 'printf %s "$1" | kubectl apply --filename=-';
  await job.must(['sh', '-c', apply, 'sh', JSON.stringify(inside)]);
  await job.must(['kubectl', 'wait', '--for=condition=Ready', 'pod/registry', '--timeout=120s']);
  await job.must(['node', '--input-type=module', '--eval', COPY, PUSHED, PUSHED_INSIDE]);
  await runs('pushed-inside', PUSHED_INSIDE);
});

test('archives are loaded in a later step, and their names told each time', async () => {
  const load = (): Promise<string> =>
    job.must(['k3s-in-gvisor', 'load', `${IMAGES_PATH}/nginx.tar`, `${IMAGES_PATH}/curl.tar`]);
  const first = await load();
  // An archive may hold an image by several names.
  expect(first).toMatch(/^(docker\.io\/curlimages\/curl:\S+\n)+docker\.io\/library\/nginx:\S+\n$/);
  expect(await load()).toBe(first);
});
