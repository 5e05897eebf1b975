/**
 * Creates and deletes containers like one that runs, by runc alone and by the adapter in turn, and prints
 * how many ms each create took. Runs in the node's namespaces. usage: container-adapter.ts COUNT
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Config {
  root: { path: string };
  linux: { cgroupsPath: string };
  annotations: Record<string, string>;
}

const BUNDLES = '/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io';
const ADAPTER = '/run/k3s-in-gvisor/adapter/runc';
const PROGRAMS = '/var/lib/rancher/k3s/data/current/bin';
const env = { ...process.env, PATH: `${PROGRAMS}:${process.env['PATH'] ?? ''}` };

const configOf = (id: string): Config =>
  JSON.parse(readFileSync(join(BUNDLES, id, 'config.json'), 'utf8')) as Config;
const model = readdirSync(BUNDLES).find(
  (id) => configOf(id).annotations['io.kubernetes.cri.container-type'] === 'container',
);
if (model === undefined) throw new Error(`Failed to find a container in ${BUNDLES}`);

function run(program: string, ...args: string[]): number {
  const begin = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`Failed to run ${program} ${args[0] ?? ''}: ${String(stderr)}`);
  return performance.now() - begin;
}

function create(program: string, id: string): number {
  const config = configOf(model ?? '');
  const bundle = join('/run/bench', id);
  mkdirSync(bundle, { recursive: true });
  config.root.path = join(BUNDLES, model ?? '', 'rootfs');
  config.linux.cgroupsPath += `-${id}`;
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  const took = run(program, 'create', '--bundle', bundle, id);
  run(program, 'delete', '--force', id);
  rmSync(bundle, { recursive: true });
  return took;
}

const runc: number[] = [];
const adapter: number[] = [];
for (let index = 0; index < Number(process.argv[2]); index++) {
  runc.push(create('runc', `bench-runc-${index}`));
  adapter.push(create(ADAPTER, `bench-adapter-${index}`));
}
console.log(JSON.stringify({ runc, adapter }));
