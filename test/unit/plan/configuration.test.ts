import { describe, expect, it } from 'vitest';
import { containerdConfig, mergeConfig } from '../../../src/plan/configuration.ts';

describe('mergeConfig', () => {
  it('joins lists and takes other values once', () => {
    expect(mergeConfig([{ a: ['x'], b: 1 }, { a: ['y'], b: 1 }, { c: true }])).toEqual({
      a: ['x', 'y'],
      b: 1,
      c: true,
    });
  });

  it('refuses two values for one key', () => {
    expect(() => mergeConfig([{ a: 1 }, { a: 2 }])).toThrow('Failed to merge a: it is 1 and 2');
  });
});

describe('containerdConfig', () => {
  it('writes nothing where nothing is to be said', () => {
    expect(containerdConfig([], true, '/data')).toEqual([]);
  });

  it('writes a drop-in', () => {
    expect(containerdConfig([{ 'plugins.x': { on: false, names: ['a'] } }], true, '/data')).toEqual(
      [
        {
          path: '/data/agent/etc/containerd/config-v3.toml.d/50-k3s-in-gvisor.toml',
          content: 'version = 3\n[plugins.x]\non = false\nnames = ["a"]\n',
        },
      ],
    );
  });

  it('opens a table once, whoever writes to it', () => {
    const [dropIn] = containerdConfig(
      [{ 'plugins.x': { a: 1 } }, { 'plugins.x': { b: 2 } }],
      true,
      '/data',
    );
    expect(dropIn?.content).toBe('version = 3\n[plugins.x]\na = 1\nb = 2\n');
  });
});
