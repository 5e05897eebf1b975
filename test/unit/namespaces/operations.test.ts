import { expect, it } from 'vitest';
import { renderLaunchFile } from '../../../src/namespaces/operations.ts';

it('renders a directive a line, escaped, under its reason', () => {
  const text = renderLaunchFile({
    namespaces: ['user', 'mount'],
    idMaps: [{ inside: 0, outside: 1001, count: 1 }],
    denySetgroups: true,
    steps: [
      { id: 'a', reason: 'because\nof it', operations: [['write', '/x', '0644', 'one\ttwo\\\n']] },
      { id: 'b', reason: 'last', operations: [['ready']] },
    ],
  });
  expect(text).toBe(
    [
      'namespaces\tuser,mount',
      'map-uid\t0\t1001\t1',
      'map-gid\t0\t1001\t1',
      'setgroups\tdeny',
      '# a: because of it',
      'write\t/x\t0644\tone\\ttwo\\\\\\n',
      '# b: last',
      'ready',
      '',
    ].join('\n'),
  );
});

it('names the program that maps the ids in the place of maps', () => {
  const text = renderLaunchFile({
    namespaces: ['user'],
    idMaps: [],
    denySetgroups: false,
    mapper: ['/usr/bin/sudo', '-n', '/my tools/idmap'],
    steps: [],
  });
  expect(text).toBe(
    'namespaces\tuser\nmapper\t/usr/bin/sudo\nmapper\t-n\nmapper\t/my tools/idmap\n',
  );
});
