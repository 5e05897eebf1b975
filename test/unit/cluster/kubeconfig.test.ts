import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseKubeconfig } from '../../../src/kubernetes/kubeconfig.ts';
import { assertUnused, writeKubeconfig } from '../../../src/cluster/kubeconfig.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const K3S_YAML = `apiVersion: v1
kind: Config
current-context: default
contexts:
- name: default
  context: { cluster: default, user: default }
clusters:
- cluster:
    certificate-authority-data: ${base64('CA')}
    server: https://127.0.0.1:6443
  name: default
users:
- name: default
  user:
    client-certificate-data: ${base64('CERT')}
    client-key-data: ${base64('KEY')}
`;

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

it("takes over k3s's credentials, with another address, for the owner only", async () => {
  const from = join(directory, 'k3s.yaml');
  const to = join(directory, 'new', 'kubeconfig');
  writeFileSync(from, K3S_YAML);
  await writeKubeconfig(from, to, { server: 'https://127.0.0.1:40001', name: 'two' });
  expect(statSync(to).mode & 0o777).toBe(0o600);
  expect(parseKubeconfig(readFileSync(to, 'utf8'))).toEqual({
    server: new URL('https://127.0.0.1:40001'),
    token: undefined,
    ca: 'CA',
    cert: 'CERT',
    key: 'KEY',
  });
  const text = readFileSync(to, 'utf8');
  expect(text).toContain('kind: Config');
  expect(text).toContain('current-context: two');
  expect(text).not.toContain('default');
});

it('never takes the place of a file that is there', async () => {
  const from = join(directory, 'k3s.yaml');
  const to = join(directory, 'config');
  writeFileSync(from, K3S_YAML);
  writeFileSync(to, "the user's");
  await expect(writeKubeconfig(from, to, { server: '', name: '' })).rejects.toThrow('EEXIST');
  expect(readFileSync(to, 'utf8')).toBe("the user's");
  expect(readdirSync(directory).sort()).toEqual(['config', 'k3s.yaml']);
});

it("refuses a path at which there is something of the user's", async () => {
  const file = join(directory, 'config');
  writeFileSync(file, '');
  symlinkSync('nowhere', join(directory, 'link'));
  await expect(assertUnused(directory)).rejects.toThrow(
    `kubeconfig: "${directory}" is a directory`,
  );
  await expect(assertUnused(file)).rejects.toThrow(`kubeconfig: "${file}" exists`);
  await expect(assertUnused(join(directory, 'link'))).rejects.toThrow('exists');
  await expect(assertUnused(join(file, 'below'))).rejects.toThrow('ENOTDIR');
  await expect(assertUnused(join(directory, 'new', 'config'))).resolves.toBeUndefined();
});
