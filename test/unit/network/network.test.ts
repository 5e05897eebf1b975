import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Network } from '../../../src/network/network.ts';
import type { LabelledPodJson, PolicyJson } from '../../../src/network/policy/wire.ts';
import type { ServiceJson, SliceJson } from '../../../src/network/services/wire.ts';
import { ApiServer, reply } from './apiserver.ts';
import { BALANCED, endpoint, NODE, service, slice } from './services/objects.ts';
import { Peer } from './peer.ts';

const STATUS_PATH = '/api/v1/namespaces/default/services/web/status';
const OWN = [{ ip: BALANCED, ipMode: 'VIP' }];

let directory: string;
let server: ApiServer;
let peer: Peer;
let stop: AbortController;
let services: ServiceJson[];
let slices: SliceJson[];
let policies: PolicyJson[];
let pods: LabelledPodJson[];
const ready = vi.fn();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'network-'));
  stop = new AbortController();
  ready.mockReset();
  services = [service({ type: 'LoadBalancer' })];
  slices = [slice([endpoint('10.42.0.5')])];
  policies = [];
  pods = [];
  peer = new Peer();
  server = new ApiServer();
  server.handle = ({ method, path, query, response }) => {
    if (method !== 'GET') reply(response, 200, {});
    else if (query['watch'] === 'true') response.writeHead(200).flushHeaders();
    else reply(response, 200, { metadata: { resourceVersion: '1' }, items: listOf(path) });
  };
  await server.listen();
});

afterEach(async () => {
  stop.abort();
  server.close();
  peer.close();
  await rm(directory, { recursive: true });
});

function listOf(path: string): unknown[] {
  if (path.endsWith('/services')) return services;
  if (path.endsWith('/networkpolicies')) return policies;
  if (path.endsWith('/pods')) return pods;
  if (path.endsWith('/namespaces')) return [{ metadata: { name: 'default' } }];
  return path.endsWith('/endpointslices')
    ? slices.map((json, index) => ({ ...json, metadata: { ...json.metadata, name: `s${index}` } }))
    : [];
}

function start(): Network {
  const config = {
    kubeconfig: '/unused',
    control: join(directory, 'control'),
    nodeIp: NODE.ip,
    nodeName: NODE.name,
    agents: [],
    balancers: NODE.balancers,
    metricsPort: 1,
    ephemeralStorage: undefined,
    objects: undefined,
    metricsApiPort: undefined,
  };
  const network = new Network(config, server.client(), () => undefined, ready);
  network.run(stop.signal).catch(() => undefined);
  return network;
}

function written(method: string) {
  return server.received.filter((request) => request.method === method);
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => {
    if (!condition()) throw new Error('not yet');
  }, 5000);
}

describe('Network', () => {
  test('programs the gateway, then announces the load balancer, once', async () => {
    await peer.listen(join(directory, 'control'));
    const network = start();
    await until(() => written('PATCH').length > 0);
    expect(peer.lines).toEqual([
      'begin',
      'set tcp *:80 10.42.0.5:8080',
      'set tcp 10.43.0.10:80 10.42.0.5:8080',
      'set tcp 10.44.0.86:80 10.42.0.5:8080',
      'end',
      'watch',
    ]);
    expect(written('PATCH')[0]).toMatchObject({
      path: STATUS_PATH,
      body: { status: { loadBalancer: { ingress: OWN } } },
    });
    expect(network.notReady()).toBeUndefined();

    // The gateway comes back before the informer has seen what was written.
    peer.disconnect();
    await until(() => peer.lines.length === 12);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(written('PATCH')).toHaveLength(1);
    expect(ready).toHaveBeenCalledTimes(1);
  });

  describe('with a pod', () => {
    const pod = (version: string, phase: string): LabelledPodJson => ({
      metadata: {
        namespace: 'default',
        name: 'web',
        labels: { app: 'web' },
        resourceVersion: version,
      },
      spec: { containers: [] },
      status: { phase },
    });
    const deny: PolicyJson = {
      metadata: { namespace: 'default', name: 'deny', resourceVersion: '2' },
      spec: { podSelector: {} },
    };
    const watches = () => server.received.filter(({ query }) => query['watch']);
    const watched = () => watches().map(({ path }) => path.split('/').at(-1));
    const send = (kind: string, type: string, object: unknown) => {
      const watch = watches().find(({ path }) => path.endsWith(`/${kind}`));
      watch?.response.write(`${JSON.stringify({ type, object })}\n`);
    };
    const compiles = (network: Network) =>
      Object.fromEntries(
        network
          .metrics()
          .filter(({ name }) => name.endsWith('compiles_total'))
          .map(({ name, value }) => [name.replace('k3s_in_gvisor_', ''), value]),
      );

    beforeEach(() => {
      pods = [pod('1', 'Pending')];
    });

    test('watches pods once, and namespaces only when there is a policy', async () => {
      await peer.listen(join(directory, 'control'));
      const network = start();
      await until(() => network.notReady() === undefined && watched().length === 4);
      expect(watched()).not.toContain('namespaces');

      peer.lines.length = 0;
      send('networkpolicies', 'ADDED', deny);
      await until(() => peer.lines.length === 2);
      expect(peer.lines).toEqual(['set ingress default/*', 'set ingress default/web']);
      await until(() => watched().includes('namespaces'));
      expect(watched().filter((kind) => kind === 'pods')).toHaveLength(1);
    });

    test('compiles anew what has changed, and nothing for what is not kept', async () => {
      policies = [deny];
      await peer.listen(join(directory, 'control'));
      const network = start();
      await until(() => network.notReady() === undefined && watched().length === 5);
      const before = compiles(network);

      peer.lines.length = 0;
      send('pods', 'MODIFIED', pod('3', 'Running'));
      send('endpointslices', 'MODIFIED', {
        ...slice([endpoint('10.42.0.6')]),
        metadata: { ...slice([]).metadata, name: 's0', resourceVersion: '4' },
      });
      await until(() => peer.lines.some((line) => line.endsWith('10.42.0.6:8080')));
      expect(compiles(network)).toEqual({
        ...before,
        compiles_total: Number(before['compiles_total']) + 1,
      });

      send('networkpolicies', 'DELETED', deny);
      await until(() => peer.lines.includes('del ingress default/web'));
      expect(compiles(network)).toEqual({
        compiles_total: Number(before['compiles_total']) + 1,
        policy_compiles_total: Number(before['policy_compiles_total']) + 1,
      });
    });
  });

  test('announces nothing that is not listened on, and says why', async () => {
    services = [service({ type: 'LoadBalancer', status: { loadBalancer: { ingress: OWN } } })];
    peer.answer = (line) =>
      line.startsWith('set tcp 10.44.') ? 'error EADDRINUSE it is taken' : 'ok';
    await peer.listen(join(directory, 'control'));
    start();
    await until(() => written('PATCH').length > 0 && written('POST').length > 0);
    expect(written('PATCH')[0]?.body).toEqual({ status: { loadBalancer: { ingress: [] } } });
    expect(written('POST')[0]?.body).toMatchObject({
      involvedObject: { kind: 'Service', name: 'web', uid: 'Service-web' },
      reason: 'FrontendRefused',
      message: 'it is taken',
      type: 'Warning',
    });
  });

  test('leaves statuses alone while the gateway is away', async () => {
    services = [service({ type: 'LoadBalancer', status: { loadBalancer: { ingress: OWN } } })];
    const network = start();
    await until(() => network.notReady() === 'the gateway does not have the whole table');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(written('PATCH')).toEqual([]);
    expect(ready).not.toHaveBeenCalled();
  });

  test('announces a Local load balancer only with an endpoint on the node', async () => {
    services = [service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' })];
    slices = [slice([endpoint('10.42.1.5', { nodeName: 'other' })])];
    await peer.listen(join(directory, 'control'));
    const network = start();
    await until(() => network.notReady() === undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(written('PATCH')).toEqual([]);
  });

  test('does not take back, for want of a gateway, what it could not write', async () => {
    const elsewhere = { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } };
    services = [service({ type: 'LoadBalancer', status: elsewhere })];
    const answer = server.handle;
    server.handle = (request) => {
      if (request.method !== 'PATCH') {
        answer(request);
        return;
      }
      peer.close();
      reply(request.response, 500, { message: 'later' });
    };
    await peer.listen(join(directory, 'control'));
    start();
    await until(() => written('PATCH').length === 1);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(written('PATCH')).toHaveLength(1);
  });

  test('writes a status again that could not be written', async () => {
    const answer = server.handle;
    server.handle = (request) => {
      if (request.method !== 'PATCH') {
        answer(request);
        return;
      }
      server.handle = answer;
      reply(request.response, 500, { message: 'later' });
    };
    await peer.listen(join(directory, 'control'));
    start();
    await until(() => written('PATCH').length === 2);
  });
});
