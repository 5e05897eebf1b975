import { afterEach, expect, it, vi } from 'vitest';
import { directoryOf, runOf } from '../../../src/cli/runs.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('finds a run by its name, else that of the job, else the default', () => {
  vi.stubEnv('XDG_STATE_HOME', '/state');
  vi.stubEnv('K3S_IN_GVISOR_RUN', '');
  expect(runOf('two')).toBe('/state/k3s-in-gvisor/two');
  expect(runOf(undefined)).toBe('/state/k3s-in-gvisor/default');
  vi.stubEnv('K3S_IN_GVISOR_RUN', '/temp/k3s-in-gvisor-x');
  expect(runOf(undefined)).toBe('/temp/k3s-in-gvisor-x');
  expect(runOf('two')).toBe('/state/k3s-in-gvisor/two');
});

it.each(['', '..', 'A', 'a/b', '-a', 'a'.repeat(33)])('refuses the name %j', (name) => {
  expect(() => directoryOf(name)).toThrow(`--name: "${name}" is not a name`);
});
