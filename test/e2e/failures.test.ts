import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { errorOf } from './support/annotations.ts';
import { follow } from './support/follow.ts';
import { Job, RUNNER_TEMP, WORKSPACE } from './support/job.ts';
import { initProcesses } from './support/processes.ts';

let sandbox: Sandbox;
let job: Job;

beforeAll(async () => {
  sandbox = await startClusterSandbox();
  job = await Job.create(sandbox);
});
afterAll(() => sandbox.stop());

async function mainFails(inputs: Readonly<Record<string, string>>): Promise<string> {
  return errorOf(await job.main({ inputs: { 'k3s-path': K3S_PATH, ...inputs } }));
}

describe('a wrong input', () => {
  test('is reported with every other one, and nothing is made', async () => {
    const error = await mainFails({
      checksum: 'abc',
      mode: 'ful',
      timeout: '5',
      'k3s-args': 'no-dashes',
      'k3s-url': 'https://example.org/k3s',
    });
    expect(error.split('\n')).toEqual([
      expect.stringMatching(/^checksum: "abc" is not a SHA-256; give 64 hex digits/),
      expect.stringMatching(/^k3s-path and k3s-url: both are given; give the one to use/),
      expect.stringMatching(/^mode: "ful" is not known; choose auto, full, node, control-plane/),
      expect.stringMatching(/^timeout: "5" is not a duration; .*such as 5s or 5m$/),
      expect.stringMatching(
        /^k3s-args: line 1: "no-dashes" does not begin with --; write --flag=value/,
      ),
    ]);
    expect(await job.must(['ls', '-A', RUNNER_TEMP])).toBe('');
    expect(await initProcesses(sandbox)).toEqual([]);
    const post = await job.post();
    expect(post).toMatchObject({ code: 0, log: '' });
  });

  test.each([
    {
      what: 'a k3s that is not there',
      inputs: { 'k3s-path': '/opt/nothing' },
      error: /^k3s-path: cannot read "\/opt\/nothing": ENOENT/,
    },
    {
      what: 'a k3s that is something else',
      inputs: { 'k3s-path': '/bin/true' },
      error: /"\/bin\/true" is not a k3s binary: its --version prints "true \(GNU coreutils\)/,
    },
    {
      what: 'a k3s that is not what the checksum says',
      inputs: { checksum: '0'.repeat(64) },
      error: new RegExp(`^checksum: "${K3S_PATH}" has the SHA-256 [0-9a-f]{64}, not 0{64}`),
    },
    {
      what: 'images that are not there',
      inputs: { images: `${IMAGES_PATH}/*.tgz` },
      error: /^images: "\/opt\/testbed\/images\/\*\.tgz" matches no file; give paths or globs/,
    },
    {
      what: "a flag that is the action's own",
      inputs: { 'k3s-args': '--debug\n--https-listen-port 6550' },
      error: /^k3s-args: line 2: --https-listen-port is not k3s's to decide here: the kubeconfig/,
    },
    {
      what: 'a flag that the plan needs otherwise',
      inputs: { 'k3s-args': '--flannel-backend=vxlan' },
      error: /^k3s-args: line 1: --flannel-backend is none here and cannot be vxlan/,
    },
    {
      what: 'a part of the plan that there is not',
      inputs: { workarounds: '+no-such' },
      error: /^workarounds: there is no no-such; choose of user-namespace, private-root, /,
    },
    {
      what: 'a part of the plan that cannot be left out',
      inputs: { workarounds: '-gateway-network' },
      error: /^workarounds: gateway-network cannot be left out, .*; without it: iptables: /,
    },
    {
      what: 'a part of the plan that has no place in the mode',
      inputs: { workarounds: '+metrics-api', mode: 'control-plane' },
      error: /^workarounds: metrics-api has no place here: it is for runs of mode full in names/,
    },
    {
      what: 'a kubeconfig that is a directory',
      inputs: { kubeconfig: WORKSPACE },
      error: new RegExp(`^kubeconfig: "${WORKSPACE}" is a directory; give the path of a file`),
    },
    {
      what: 'a kubeconfig that exists',
      inputs: { kubeconfig: `${WORKSPACE}/precious` },
      error: new RegExp(`^kubeconfig: "${WORKSPACE}/precious" exists, and what is yours is never`),
    },
  ])('$what is named, and nothing is started', async ({ inputs, error }) => {
    await job.must(['sh', '-c', 'echo mine >"$1"/precious', 'sh', WORKSPACE]);
    expect(await mainFails(inputs)).toMatch(error);
    expect(await initProcesses(sandbox)).toEqual([]);
    expect(await job.post()).toMatchObject({ code: 0 });
    expect(await job.must(['cat', `${WORKSPACE}/precious`])).toBe('mine\n');
  });
});

describe('a start that fails', () => {
  test('for a flag k3s does not know names the rung, shows the log and tells what to look at', async () => {
    const result = await job.main({
      inputs: { 'k3s-path': K3S_PATH, 'k3s-args': '--no-such-flag=1' },
    });
    const error = errorOf(result);
    expect(error).toMatch(
      /^Failed to (reach "kubeconfig written"|launch): .*k3s ended with exit \d/,
    );
    expect(error).toContain('Look at k3s-args');
    expect(result.log).toMatch(
      /::group::End of k3s\.log\n::stop-commands::\S+\n(.*\n)*.*no-such-flag/,
    );
    await job.post();
  });

  test('for a part that was left out says what is seen without it', async () => {
    const error = await mainFails({ mode: 'node', workarounds: '-sysctl-overlay' });
    expect(error).toMatch(/^Failed to reach "node Ready": /);
    expect(error).toMatch(
      /sysctl-overlay is left out by the input workarounds \(missing.*without it: Failed to start ContainerManager/,
    );
    await job.post();
  });

  test('for want of time names the rung it was waiting for', async () => {
    const error = await mainFails({ timeout: '3s' });
    expect(error).toMatch(/^Failed to (reach ".+"|launch|\w+ .+): .*timeout/);
    expect(await job.post()).toMatchObject({ code: 0 });
  });

  test('shows what k3s said last when k3s is killed', async () => {
    let kill: Promise<string> | undefined;
    const result = await job.main({
      inputs: { 'k3s-path': K3S_PATH },
      onLine: (line) => {
        if (line.endsWith(' s  API server ready')) {
          kill ??= job.must(['pkill', '-KILL', '--full', '/k3s server$']);
        }
      },
    });
    await kill;
    // The next rung is the node's, unless the node was quicker than the kill.
    expect(errorOf(result)).toMatch(/^Failed to reach "(?!API server).+": k3s ended with signal 9/);
    expect(result.log).toContain('::group::End of k3s.log');
    // Later steps can ask what answered once, and the summary tells what the log does.
    expect(job.env['KUBECONFIG']).toBe(job.outputs['kubeconfig']);
    expect(job.outputs['kubeconfig']).toMatch(/\/kubeconfig$/);
    expect(job.summary).toMatch(/failed after \d.*[^]*While waiting for \*\*node Ready\*\*/);
    await job.post();
  });
});

describe('a runner', () => {
  test('whose port 6443 is taken gets the API server at another', async () => {
    const listen = `require('net').createServer().listen(6443, '127.0.0.1', () => console.log('listening'))`;
    await using listener = follow(job, ['node', '--eval', listen]);
    await listener.next(/^listening$/);
    const kubeconfig = `${WORKSPACE}/kube/ci`;
    await job.mustMain({ inputs: { 'k3s-path': K3S_PATH, mode: 'control-plane', kubeconfig } });
    expect(job.env['KUBECONFIG']).toBe(kubeconfig);
    expect(job.outputs['api-server']).toMatch(/^https:\/\/127\.0\.0\.1:(?!6443)\d+$/);
    expect(job.outputs['mode']).toBe('control-plane');
    expect(job.outputs['node-name']).toBe('');
    expect(await job.must(['kubectl', 'get', '--raw=/readyz'])).toBe('ok');
    await job.post();
    expect(await job.must(['ls', WORKSPACE])).not.toContain('kube');
  });

  test('whose own network is 10.42.0.0/16 gets others for its pods and Services', async () => {
    await using privileged = await startClusterSandbox({ profile: 'privileged' });
    const own = await Job.create(privileged);
    const unpack = `echo 'data-dir: /tmp/k3s' > /tmp/k3s.yaml && K3S_CONFIG_FILE=/tmp/k3s.yaml ${K3S_PATH} ctr --version`;
    await own.must(['sh', '-c', unpack]);
    for (const command of [
      'link add own0 type veth peer name own1',
      'address add 10.42.7.1/16 dev own0',
      'link set own0 up',
    ]) {
      await own.must(['/tmp/k3s/data/current/bin/ip', ...command.split(' ')]);
    }
    await own.mustMain({
      inputs: { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' },
    });
    const addresses = await own.must([
      ...['kubectl', 'get', 'nodes,services', '--all-namespaces'],
      '--output=jsonpath={.items[*].status.addresses[0].address} {.items[*].spec.clusterIP}',
    ]);
    const [nodeAddress, ...services] = addresses.split(' ');
    expect(nodeAddress).toBe('10.142.0.1');
    expect(services).toEqual(expect.arrayContaining(['10.143.0.1', '10.143.0.10']));
    // The metrics' Service is among them.
    expect(services.filter((address) => !address.startsWith('10.143.'))).toEqual([]);
    await own.post();
  });
});
