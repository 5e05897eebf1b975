import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { kubeconfigs } from '../../../src/kubernetes/kubeconfig-file.ts';
import { parseKubeconfig } from '../../../src/kubernetes/kubeconfig.ts';
import { kubeconfig } from '../network/apiserver.ts';

describe('parseKubeconfig', () => {
  test('reads server and credentials of the current context', () => {
    const text = kubeconfig(
      'https://127.0.0.1:6443',
      'client-certificate-data: Y2VydA==, client-key-data: a2V5',
    );
    expect(parseKubeconfig(text)).toMatchObject({
      server: new URL('https://127.0.0.1:6443'),
      ca: undefined,
      cert: 'cert',
      key: 'key',
      token: undefined,
    });
  });

  test.each([
    ['', 'no context named (none given)'],
    ['current-context: x\n', 'no context named x'],
    [kubeconfig('https://h').replace('name: c,', 'name: d,'), 'no cluster named c'],
    [kubeconfig('https://h').replace('name: u,', 'name: v,'), 'no user named u'],
    [kubeconfig('https://h').replace("server: 'https://h'", ''), 'cluster c has no server'],
  ])('says what is missing in %j', (text, message) => {
    expect(() => parseKubeconfig(text)).toThrow(message);
  });
});

describe('kubeconfigs', () => {
  let directory: string;
  let stop: AbortController;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await rm(directory, { recursive: true });
  });

  test('waits for directories and file, for the whole of it, and yields changes once', async () => {
    const path = join(directory, 'rancher', 'k3s', 'k3s.yaml');
    const said: string[] = [];
    const accesses = kubeconfigs(path, (text) => said.push(text), stop.signal);
    const first = accesses.next();
    await mkdir(join(directory, 'rancher'));
    await mkdir(join(directory, 'rancher', 'k3s'));
    const text = kubeconfig('https://one');
    await writeFile(path, text.slice(0, 60));
    await appendFile(path, text.slice(60));
    expect((await first).value.server.href).toBe('https://one/');
    expect(said[0]).toContain('ENOENT');

    const second = accesses.next();
    await writeFile(path, text);
    await writeFile(`${path}.new`, kubeconfig('https://two'));
    await rename(`${path}.new`, path);
    expect((await second).value.server.href).toBe('https://two/');
  });

  test('yields at once what is there, and ends with the signal', async () => {
    const path = join(directory, 'k3s.yaml');
    await writeFile(path, kubeconfig('https://one'));
    const accesses = kubeconfigs(path, () => undefined, stop.signal);
    expect((await accesses.next()).value.server.href).toBe('https://one/');
    const next = accesses.next();
    stop.abort();
    await expect(next).rejects.toThrow('aborted');
  });
});
