/**
 * Credentials, tokens and keys of a cluster are where it needs them, and nowhere else: in no log, bundle,
 * output, command line or environment.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import { image } from '../testbed/images/images.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { forward, startServer, type Handler } from '../supply/server.ts';
import { Job, RUNNER_FILES, TOOL_CACHE, type StepResult } from './support/job.ts';
import { initProcesses } from './support/processes.ts';

const PASSWORD = 'the-registrys-password';
const BASIC = Buffer.from(`testbed:${PASSWORD}`).toString('base64');
const TOKEN = 'the-tokens-secret-half';
const REGISTRY = 'registry.test:5001';
const IMAGE = `${REGISTRY}/e2e-test-images/agnhost:2.56`;

const PATTERNS = `${RUNNER_FILES}/secrets`;

let sandbox: Sandbox;
let job: Job;

beforeAll(async () => {
  sandbox = await startClusterSandbox({ registry: [await image('agnhost')] });
  job = await Job.create(sandbox);
});
afterAll(() => sandbox.stop());

const put = (path: string, lines: readonly string[]): Promise<string> =>
  job.must([
    'sh',
    '-c',
    'umask 077; path="$1"; shift; printf "%s\\n" "$@" >"$path"',
    'sh',
    path,
    ...lines,
  ]);

/** The files of `paths` and below, and the processes, that hold one of the secrets. */
async function holders(...paths: readonly string[]): Promise<string[]> {
  // Processes come and go; what cannot be read any more holds nothing.
  const search =
    'grep --recursive --files-with-matches --text --no-messages --fixed-strings --file="$0" "$@"';
  const { stdout } = await job.exec(['sh', '-c', search, PATTERNS, ...paths]);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Of every process of the sandbox, init and the pods' among them. */
async function processesThatTell(): Promise<string[]> {
  const list = `ls -d /proc/[0-9]*/cmdline /proc/[0-9]*/environ`;
  return holders(...(await job.must(['sh', '-c', list])).trim().split('\n'));
}

/** What the runner masks it has to be told; it prints no such line. */
const shown = ({ log }: StepResult): string => log.replaceAll(/^::add-mask::.*$/gm, '');

test('no credential, token or key is in a log, bundle, output, command line or environment', async () => {
  const { host } = sandbox.addresses;
  await using guarded = await startServer(host, 5001);
  let authorized = 0;
  guarded.fallback((request, response) => {
    const passOn: Handler = forward(`http://${host}:5000${request.url ?? ''}`);
    if (request.headers.authorization === `Basic ${BASIC}`) {
      authorized++;
      passOn(request, response);
    } else {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="testbed"' }).end();
    }
  });
  await put(PATTERNS, [PASSWORD, BASIC, TOKEN]);

  let during: Promise<string[]> | undefined;
  const main = await job.mustMain({
    inputs: {
      'k3s-path': K3S_PATH,
      images: `${IMAGES_PATH}/*.tar`,
      mode: 'full',
      'k3s-args': `--token=${TOKEN}\n--debug`,
      registries: [
        `mirrors: { '${REGISTRY}': { endpoint: ['http://${REGISTRY}'] } }`,
        `configs: { '${REGISTRY}': { auth: { username: testbed, password: '${PASSWORD}' } } }`,
      ].join('\n'),
      pull: IMAGE,
    },
    onLine: (line) => {
      if (line.endsWith(' s  API server ready')) during ??= processesThatTell();
    },
  });
  expect(authorized).toBeGreaterThan(0);

  // The keys and tokens that the cluster made for itself.
  const inside = `/proc/${(await initProcesses(sandbox))[1] ?? ''}/root/var/lib/rancher/k3s`;
  const made = (
    await job.must([
      ...['sh', '-c', 'cat "$0"/server/token "$0"/server/tls/*.key "$0"/agent/*.key', inside],
    ])
  )
    .split('\n')
    .filter((line) => line.length >= 32 && !line.startsWith('-----'));
  const kubeconfig = await job.must(['cat', job.env['KUBECONFIG'] ?? '']);
  const [, key = ''] = kubeconfig.match(/client-key-data: (\S+)/) ?? [];
  expect(made.length).toBeGreaterThan(20);
  expect(key).not.toBe('');
  await put(PATTERNS, [PASSWORD, BASIC, TOKEN, key, ...new Set(made)]);

  // That they can be found: where they must be, and in a process that was told.
  expect(await holders(`${inside}/../../../../etc/rancher/k3s/registries.yaml`)).toHaveLength(1);
  expect(await holders(`${inside}/server/tls`)).not.toEqual([]);
  const over = new AbortController();
  const told = job.exec(['sleep', 'infinity'], { env: { TOLD: PASSWORD }, signal: over.signal });
  await expect
    .poll(processesThatTell, { timeout: 60_000 })
    .toEqual([expect.stringMatching(/environ$/)]);
  over.abort();
  await told.catch(() => undefined);

  await job.must(['kubectl', 'run', 'pulled', `--image=${IMAGE}`, '--', 'pause']);
  // A pull that the registry refuses: what it and containerd say of it goes into logs and events.
  await job.must(['kubectl', 'run', 'refused', `--image=${REGISTRY}/no/such:1`]);
  await job.must(['kubectl', 'wait', 'pod/pulled', '--for=condition=Ready', '--timeout=180s']);
  await job.must([
    ...['kubectl', 'wait', 'pod/refused', '--timeout=180s'],
    `--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff`,
  ]);

  // Of the processes, main alone was told by the runner, and kept it for itself.
  const pidOfMain = (await job.must(['cat', `${RUNNER_FILES}/pid`])).trim();
  expect(await during).toEqual([`/proc/${pidOfMain}/environ`]);
  expect(await processesThatTell()).toEqual([]);

  const { logs = '', bundle = '' } = job.outputs;
  expect((await job.must(['k3s-in-gvisor', 'bundle'])).trim()).toBe(bundle);
  expect(await job.must(['ls', `${logs}/pods`, `${bundle}/logs`])).toContain('k3s.log');
  expect(await holders(logs, bundle, TOOL_CACHE)).toEqual([]);
  const output = `${RUNNER_FILES}/output-of-main`;
  await put(output, [shown(main)]);
  const files = ['output', 'env', 'path', 'state', 'step_summary'];
  expect(await holders(output, ...files.map((file) => `${RUNNER_FILES}/${file}`))).toEqual([]);

  // The post step tells of clusters that are not well, from the same sources.
  await job.must(['pkill', '-KILL', '--full', '/k3s server --debug$']);
  const post = await job.post();
  expect(post.log).toContain('k3s ended with signal 9');
  await put(output, [shown(post)]);
  expect(await holders(output, logs, bundle)).toEqual([]);
});
