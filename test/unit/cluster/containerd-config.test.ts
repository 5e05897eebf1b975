import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { awaitContainerdConfig, importsOf } from '../../../src/cluster/containerd-config.ts';

const DIRECTORY = '/data/agent/etc/containerd';
const DROP_IN = `${DIRECTORY}/config-v3.toml.d/50-k3s-in-gvisor.toml`;

it.each([
  ['version = 3\nimports = ["/a/*.toml", \'/b.toml\']\n', ['/a/*.toml', '/b.toml']],
  ['imports = [\n  "/a",\n]\n', ['/a']],
  ['imports = []\n', []],
  ['# imports = ["/a"]\n[plugins]\n', []],
])('finds the imports of %j', (config, imports) => {
  expect(importsOf(config)).toEqual(imports);
});

describe('awaitContainerdConfig', () => {
  let root: string;
  const write = (content: string): Promise<void> =>
    writeFile(join(root, DIRECTORY, 'config.toml'), content);
  const check = (): Promise<void> =>
    awaitContainerdConfig(root, DROP_IN, AbortSignal.timeout(5000));

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'root-'));
    await mkdir(join(root, DIRECTORY), { recursive: true });
  });
  afterEach(() => rm(root, { recursive: true }));

  it('waits until the configuration is written', async () => {
    const checked = check();
    await write('');
    await write(`imports = ["${DIRECTORY}/config-v3.toml.d/*.toml"]\n`);
    await checked;
  });

  it.each(['version = 3\n', `imports = ["${DIRECTORY}/config-v4.toml.d/*.toml"]\n`])(
    'refuses %j',
    async (config) => {
      await write(config);
      await expect(check()).rejects.toThrow(
        `k3s made a ${DIRECTORY}/config.toml that does not import ${DROP_IN}`,
      );
    },
  );

  it('says that it cannot be read', async () => {
    await mkdir(join(root, DIRECTORY, 'config.toml'));
    await expect(check()).rejects.toThrow('EISDIR');
  });
});
