import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

/**
 * Each manifest of docs/runners.md, and the environment of the testbed in which what it asks for is
 * tried: a manifest that asks for something else fails here.
 */
const DOCUMENT = readFileSync(join(import.meta.dirname, '../../../docs/runners.md'), 'utf8');

interface Container {
  readonly name: string;
  readonly image?: string;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface PodSpec {
  readonly runtimeClassName?: string;
  readonly securityContext?: unknown;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly emptyDir?: { medium?: string } }[];
}

const blocks = (language: string): string[] =>
  [...DOCUMENT.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, name, text = '']) =>
    name === language ? [text] : [],
  );

const documents = blocks('yaml').flatMap((text) =>
  parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Record<string, unknown>;
  }),
);

/** Every pod's spec in it, also in a text that is YAML itself, as a hook template's. */
function podSpecs(value: unknown): PodSpec[] {
  if (typeof value === 'string' && value.includes('runtimeClassName:')) {
    return parseAllDocuments(value).flatMap((document) => podSpecs(document.toJS()));
  }
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(podSpecs);
  return 'containers' in value ? [value as PodSpec, ...inner] : inner;
}

const OFFICIAL = 'ghcr.io/actions/actions-runner:latest';

/** What test/testbed calls it; undefined for what the tests have no environment for. */
function environmentOf(spec: PodSpec): string | undefined {
  const [container] = spec.containers;
  if (container === undefined || spec.securityContext !== undefined) return undefined;
  const { image, securityContext = {}, volumeMounts = [] } = container;
  if (container.name === '$job') return 'JOB_CONTAINER';
  if (Object.keys(securityContext).length > 0) return undefined;
  if (image === 'registry.example.com/my-runner-with-the-helper') return 'WITH_HELPER';
  if (image === 'node:24-bookworm') return 'root';
  const inMemory = (spec.volumes ?? [])
    .filter(({ emptyDir }) => emptyDir?.medium === 'Memory')
    .map(({ name }) => name);
  const helper = volumeMounts.find(({ mountPath }) => mountPath === '/opt/k3s-in-gvisor');
  return image === OFFICIAL && helper !== undefined && inMemory.includes(helper.name)
    ? 'WITH_HELPER, by an init container'
    : undefined;
}

describe('the manifests of docs/runners.md', () => {
  const specs = documents.flatMap(podSpecs);
  const sandboxed = specs.filter(({ runtimeClassName }) => runtimeClassName !== undefined);

  it('run what runs the action under gVisor, each in an environment that is tested', () => {
    expect(sandboxed.map(({ runtimeClassName }) => runtimeClassName)).toEqual(
      sandboxed.map(() => 'gvisor'),
    );
    expect(sandboxed.map(environmentOf)).toEqual([
      'WITH_HELPER, by an init container',
      'WITH_HELPER',
      'JOB_CONTAINER',
      'root',
    ]);
  });

  it('have an init container that runs as root, on the volume that it shares', () => {
    const [init] = specs.flatMap(({ initContainers = [] }) => initContainers);
    expect(init?.securityContext).toEqual({ runAsUser: 0 });
    expect(init?.volumeMounts).toEqual([
      { name: 'k3s-in-gvisor', mountPath: '/opt/k3s-in-gvisor' },
    ]);
  });

  it('name the hook template where it is mounted', () => {
    const runner = specs.find(({ runtimeClassName }) => runtimeClassName === undefined);
    const [{ env = [], volumeMounts = [] } = {}] = runner?.containers ?? [];
    const template = env.find(({ name }) => name === 'ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE');
    const directory = volumeMounts.find(({ name }) => name === 'hook-template')?.mountPath;
    const map = documents.find(({ kind }) => kind === 'ConfigMap') as { data: object };
    expect(template?.value).toBe(`${directory ?? ''}/${Object.keys(map.data)[0] ?? ''}`);
  });

  it('let Compose, GitLab and Forgejo run jobs under gVisor as root', () => {
    const text = JSON.stringify(documents);
    expect(text).toContain('"runtime":"runsc","user":"root"');
    expect(text).toContain('runtime_class_name = \\"gvisor\\"');
    expect(text).toContain('run_as_user = 0');
    expect(text).toContain('"options":"--runtime=runsc');
  });

  it('ask for no privilege and take none away', () => {
    const yaml = blocks('yaml').join('\n');
    expect(yaml).not.toMatch(/privileged|capabilities|allowPrivilegeEscalation|hostNetwork/);
    expect(blocks('sh').join('\n')).not.toMatch(/--(privileged|cap-add|cap-drop|security-opt)/);
  });

  it('build an image whose last user is the runner, with the helper where it is looked for', () => {
    const [dockerfile = ''] = blocks('dockerfile');
    const lines = dockerfile.trim().split('\n');
    const place = '/usr/local/bin/k3s-in-gvisor-idmap';
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['FROM', 'USER', 'ADD', 'RUN', 'USER']);
    expect(lines[2]).toMatch(new RegExp(`dist/native/linux-x64/idmap ${place}$`));
    expect(lines[3]).toBe(`RUN k3s-in-gvisor-idmap install ${place}`);
    expect(lines[4]).toBe('USER runner');
  });
});
