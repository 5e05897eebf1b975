/** What a runner can lack: each lack is named in one message, or is no hindrance, and leaves nothing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { status, startServer } from '../supply/server.ts';
import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { errorOf } from './support/annotations.ts';
import { ACTION, Job } from './support/job.ts';
import { initProcesses } from './support/processes.ts';

/** File systems of these sizes. */
const FULL = '/full';
const SMALL = '/small';
const READ_ONLY = '/read-only';

const INPUTS = { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' };
const CONTROL_PLANE = { 'k3s-path': K3S_PATH, mode: 'control-plane' };

let outside: string;
let sandbox: Sandbox;
let job: Job;

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'read-only-'));
  sandbox = await startClusterSandbox({
    tmpfs: [`${FULL}:size=16k`, `${SMALL}:size=8m`],
    mounts: [{ source: outside, destination: READ_ONLY, readonly: true }],
  });
  job = await Job.create(sandbox);
});
afterAll(async () => {
  await sandbox.stop();
  await rm(outside, { recursive: true });
});
/** However a run ended, its post step has nothing to complain of. */
afterEach(async () => {
  expect(await job.post()).toMatchObject({ code: 0 });
  expect(await initProcesses(sandbox)).toEqual([]);
});

describe('a disk that is full', () => {
  test('in RUNNER_TEMP is named', async () => {
    const env = { RUNNER_TEMP: FULL };
    const error = errorOf(await job.main({ inputs: CONTROL_PLANE, env }));
    expect(error).toMatch(
      new RegExp(
        `^Failed to write ${FULL}/k3s-in-gvisor-\\w+/\\S+: ENOSPC: no space left on device`,
      ),
    );
    expect(error).toContain('Free the disk of the file that the message names');
  });

  test('in the tool cache is a warning: k3s is kept with the run', async () => {
    const env = { RUNNER_TOOL_CACHE: SMALL };
    const { log } = await job.mustMain({ inputs: CONTROL_PLANE, env });
    expect(log).toMatch(
      /^::warning::The tool cache cannot be written, this run does without: .*no space left/m,
    );
    // What was half unpacked does not keep the disk full.
    expect(await job.must(['find', SMALL, '-type', 'f'])).toBe('');
  });
});

test('a tool cache that is read-only is a warning: k3s is kept with the run', async () => {
  const env = { RUNNER_TOOL_CACHE: READ_ONLY };
  const { log } = await job.mustMain({ inputs: CONTROL_PLANE, env });
  expect(log).toMatch(
    /^::warning::The tool cache cannot be written, this run does without: .*\/read-only/m,
  );
});

describe('a path', () => {
  const LONG = `/tmp/${'long'.repeat(40)}`;
  const ODD = '/tmp/a, b';

  test('of RUNNER_TEMP may be longer than a socket can have', async () => {
    await job.must(['mkdir', '-p', LONG]);
    await job.mustMain({ inputs: CONTROL_PLANE, env: { RUNNER_TEMP: LONG } });
    expect(job.state['directory']).toMatch(new RegExp(`^${LONG}/`));
    expect(await job.must(['kubectl', 'get', '--raw=/readyz'])).toBe('ok');
  });

  test('of RUNNER_TEMP that no overlay takes is said to be, and another one taken', async () => {
    await job.must(['mkdir', '-p', ODD]);
    const { log } = await job.mustMain({ inputs: CONTROL_PLANE, env: { RUNNER_TEMP: ODD } });
    expect(log).toMatch(/^::notice::The run is in \/tmp: the path \/tmp\/a, b has a comma/m);
    expect(await job.must(['ls', '-A', ODD])).toBe('');
  });

  test('of the tool cache that no overlay takes is refused', async () => {
    const result = await job.main({ inputs: CONTROL_PLANE, env: { RUNNER_TOOL_CACHE: ODD } });
    expect(errorOf(result)).toMatch(
      /^RUNNER_TOOL_CACHE, or XDG_CACHE_HOME: the path \/tmp\/a, b\S* has a comma.*; give another/,
    );
  });
});

test('what cannot be had here is said before k3s has come', async () => {
  await using silent = await startServer(sandbox.addresses.host, 5002);
  silent.fallback(() => undefined);
  const from = { 'k3s-url': `${silent.url}/k3s`, checksum: '0'.repeat(64) };
  const inputs = { ...from, mode: 'control-plane', pull: 'registry.test/app:1' };
  expect(errorOf(await job.main({ inputs }))).toMatch(
    /^pull: in mode control-plane, the one that can be had here, there is no containerd/,
  );
});

describe('an image that cannot be pulled', () => {
  const plain = (registry: string): string =>
    `mirrors: { '${registry}': { endpoint: ['http://${registry}'] } }`;

  test('for want of DNS is named, with what to do', async () => {
    const resolver = await job.must(['cat', '/etc/resolv.conf']);
    await job.must(['sh', '-c', 'echo nameserver 127.0.0.1 >/etc/resolv.conf']);
    const result = await job.main({ inputs: { ...INPUTS, pull: 'registry.nowhere/app:1' } });
    await job.must(['sh', '-c', 'printf %s "$0" >/etc/resolv.conf', resolver]);
    expect(errorOf(result)).toMatch(
      /^Failed to pull registry\.nowhere\/app:1: .*lookup registry\.nowhere .*\n.*There is no way from this runner to the registry/,
    );
  });

  test.each([
    {
      what: 'the registry wants credentials',
      registries: plain('registry.test:5001'),
      error: /no basic auth credentials\n.*Give its credentials with the input registries/,
    },
    {
      what: 'the registry has no TLS',
      registries: '',
      error: /HTTP response to HTTPS client\n.*Name its address with http:\/\//,
    },
  ])('because $what is named, with what to do', async ({ registries, error }) => {
    await using registry = await startServer(sandbox.addresses.host, 5001);
    registry.fallback(status(401, { 'www-authenticate': 'Basic realm="testbed"' }));
    const inputs = { ...INPUTS, registries, pull: 'registry.test:5001/app:1' };
    const said = errorOf(await job.main({ inputs }));
    expect(said).toMatch(/^Failed to pull registry\.test:5001\/app:1: /);
    expect(said).toMatch(error);
  });

  test('because nothing answers there is named, with what to do', async () => {
    const registries = plain('registry.test:5999');
    const inputs = { ...INPUTS, registries, pull: 'registry.test:5999/app:1' };
    expect(errorOf(await job.main({ inputs }))).toMatch(
      /^Failed to pull registry\.test:5999\/app:1: .*(refused|reset|EOF).*\n.*There is no way from this runner/,
    );
  });
});

describe('a shell without HOME', () => {
  const cli = (env: readonly string[], ...args: readonly string[]) =>
    job.exec(['env', ...env, 'node', `${ACTION}/dist/cli/index.js`, ...args]);

  test('has the home of its user', async () => {
    expect(await cli(['--unset=HOME'], 'list')).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    { how: 'empty', prefix: ['HOME='] },
    {
      how: 'of a user without a name',
      prefix: ['--unset=HOME', 'setpriv', '--reuid=4711', '--clear-groups', 'env'],
    },
  ])('that is $how is told to set it', async ({ prefix }) => {
    const { code, stdout, stderr } = await cli(prefix, 'list');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^HOME: it is not set, or empty; set it to the path of a directory/);
  });

  test('can use the action all the same', async () => {
    // Nor has an older server a summary.
    const env = { HOME: '', GITHUB_STEP_SUMMARY: '' };
    const { log } = await job.mustMain({ inputs: CONTROL_PLANE, env });
    expect(log).not.toContain('::warning::');
    expect(await job.must(['kubectl', 'get', '--raw=/readyz'])).toBe('ok');
  });
});

test('two stops at once both end well, and one of them does it', async () => {
  await job.mustMain({ inputs: CONTROL_PLANE });
  const both = await Promise.all([job.post(), job.post()]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(both.map(({ log }) => log).join('\n')).not.toMatch(/^::(error|warning)::/m);
});
