import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from './cache.ts';
import { command } from './command.ts';
import { testbedDir } from './paths.ts';
import { released } from './releases.ts';

interface Program {
  package: string;
  /** The folder of tools/ whose module pins it, where that is not the tool's name. */
  module?: string;
  /** String variables its own release build sets. */
  variables?: Readonly<Record<string, string>>;
}

const chartutil = 'helm.sh/helm/v3/pkg/chartutil';

const programs = {
  runsc: { package: 'gvisor.dev/gvisor/runsc' },
  'runsc-2026-02': { package: 'gvisor.dev/gvisor/runsc' },
  act: { package: 'github.com/nektos/act' },
  helm: {
    package: 'helm.sh/helm/v3/cmd/helm',
    // Else `helm template` claims Kubernetes 1.20. Its Makefile takes them from client-go's version.
    variables: { [`${chartutil}.k8sVersionMajor`]: '1', [`${chartutil}.k8sVersionMinor`]: '37' },
  },
  // Its own main package has the plugins of every cloud provider, half of what it compiles.
  coredns: { package: '.' },
  agnhost: { package: 'k8s.io/kubernetes/test/images/agnhost' },
  'local-path-provisioner': { package: 'github.com/rancher/local-path-provisioner' },
  outside: { package: '.' },
  'seccomp-profile': { package: '.' },
} satisfies Record<string, Program>;

/** Of `make charts` alone. */
const foreign = {
  'helm-4': { package: 'helm.sh/helm/v4/cmd/helm' },
  podinfo: { package: 'github.com/stefanprodan/podinfo/cmd/podinfo' },
  podcli: { package: 'github.com/stefanprodan/podinfo/cmd/podcli', module: 'podinfo' },
  'grpc-health-probe': { package: 'github.com/grpc-ecosystem/grpc-health-probe' },
  gatekeeper: { package: 'github.com/open-policy-agent/gatekeeper/v3' },
  kubectl: { package: '.' },
  t4: { package: 'github.com/t4db/t4/cmd/t4' },
  descheduler: { package: 'sigs.k8s.io/descheduler/cmd/descheduler' },
  'sealed-secrets': { package: 'github.com/bitnami-labs/sealed-secrets/cmd/controller' },
  kubeseal: {
    package: 'github.com/bitnami-labs/sealed-secrets/cmd/kubeseal',
    module: 'sealed-secrets',
  },
} satisfies Record<string, Program>;

const all = { ...programs, ...foreign };

export type Tool = keyof typeof all;

/** Those that `make test` takes. */
export const tools = Object.keys(programs) as (keyof typeof programs)[];

/** A static linux build of the tool, for this machine's architecture. */
export async function tool(name: Tool): Promise<string> {
  const official = await released(name);
  if (official !== undefined) return official;
  const program: Program = all[name];
  const module = moduleOf(name);
  const files = (await readdir(module)).sort();
  const sources = await Promise.all(files.map((file) => readFile(join(module, file))));
  return cached(name, [JSON.stringify(program), ...sources, process.arch], async (path) => {
    const set = Object.entries(program.variables ?? {}).map(([key, value]) => `-X ${key}=${value}`);
    const ldflags = ['-s', '-w', ...set].join(' ');
    await command(
      ['go', 'build', '-trimpath', `-ldflags=${ldflags}`, '-o', path, program.package],
      {
        cwd: module,
        env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
      },
    );
  });
}

/** Where the Go toolchain unpacked a module that the tool's module requires. */
export async function moduleDir(name: Tool, module: string): Promise<string> {
  const cwd = moduleOf(name);
  return (await command(['go', 'list', '-m', '-f', '{{.Dir}}', module], { cwd })).trim();
}

function moduleOf(name: Tool): string {
  const program: Program = all[name];
  return join(testbedDir, 'tools', program.module ?? name);
}
