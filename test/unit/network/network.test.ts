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

  test('watches pods and namespaces for policies only once there is one', async () => {
    const watched = () =>
      new Set(
        server.received
          .filter(({ query }) => query['watch'])
          .map(({ path }) => path.split('/').at(-1)),
      );
    // A cluster without policies: the pods it watches are those with host ports.
    await peer.listen(join(directory, 'control'));
    const network = start();
    await until(() => network.notReady() === undefined && watched().size === 4);
    expect(watched()).not.toContain('namespaces');

    const watch = server.received.find(
      ({ path, query }) => path.endsWith('/networkpolicies') && query['watch'],
    );
    pods = [
      {
        metadata: { namespace: 'default', name: 'web', labels: { app: 'web' } },
        spec: { containers: [] },
      },
    ];
    const object: PolicyJson = {
      metadata: { namespace: 'default', name: 'deny', resourceVersion: '2' },
      spec: { podSelector: {} },
    };
    peer.lines.length = 0;
    watch?.response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    await until(() => peer.lines.length === 2);
    expect(peer.lines).toEqual(['set ingress default/*', 'set ingress default/web']);
    expect(watched()).toContain('namespaces');
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
