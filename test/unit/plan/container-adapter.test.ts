import { expect, it } from 'vitest';
import { containerAdapter } from '../../../src/plan/container-adapter.ts';

const LAYOUT = { native: '/dist/native/linux-x64', logs: '/state/logs' };

it('is not there where no workaround needs it', () => {
  expect(containerAdapter([], LAYOUT, '/data')).toEqual({ containerd: {}, operations: [] });
});

it('is called in place of runc, and finds its settings beside its name', () => {
  const { containerd, operations } = containerAdapter(['a', 'b'], LAYOUT, '/data');
  expect(Object.values(containerd)).toEqual([{ BinaryName: '/run/k3s-in-gvisor/adapter/runc' }]);
  expect(operations).toContainEqual([
    'symlink',
    '/dist/native/linux-x64/adapter',
    '/run/k3s-in-gvisor/adapter/runc',
  ]);
  expect(operations).toContainEqual([
    'write',
    '/run/k3s-in-gvisor/adapter/settings',
    '0644',
    [
      'state\t/data/agent/adapter',
      'log\t/state/logs/adapter.log',
      'sysctls\t/run/k3s-in-gvisor/adapter/sysctls',
      'workaround\ta',
      'workaround\tb',
      '',
    ].join('\n'),
  ]);
});

it('makes each directory before the files in it', () => {
  const { operations } = containerAdapter(['a'], LAYOUT, '/data');
  const made = new Set<string>();
  for (const [directive, path = ''] of operations) {
    if (directive === 'directory') made.add(path);
    if (directive === 'write') expect(made).toContain(path.slice(0, path.lastIndexOf('/')));
  }
});
