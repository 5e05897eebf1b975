/**
 * Moves a Service from one endpoint to another and prints how many ms after asking the API server
 * each new connection to the Service reached the new one. Runs in the node's namespaces.
 * usage: change-endpoint.ts COUNT
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const NAME = 'bench-change';

interface Kubeconfig {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
  users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
}

const { clusters, users } = JSON.parse(
  execFileSync('kubectl', ['config', 'view', '--raw', '--output=json'], { encoding: 'utf8' }),
) as Kubeconfig;
const decode = (text: string) => Buffer.from(text, 'base64');
const credentials = {
  ca: decode(clusters[0].cluster['certificate-authority-data']),
  cert: decode(users[0].user['client-certificate-data']),
  key: decode(users[0].user['client-key-data']),
};

async function call(
  method: string,
  path: string,
  body: object,
  type = 'application/json',
): Promise<unknown> {
  const text = JSON.stringify(body);
  // Node gives a DELETE no length of its own, and its body would begin the next request.
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(text) };
  const sent = request(new URL(path, clusters[0].cluster.server), {
    method,
    ...credentials,
    headers,
  });
  sent.end(text);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const answer = (await response.setEncoding('utf8').toArray()).join('');
  if ((response.statusCode ?? 0) >= 300) throw new Error(`Failed to ${method} ${path}: ${answer}`);
  return JSON.parse(answer);
}

/** A server on the node's address that says only its name. */
async function serve(name: string): Promise<number> {
  const server = createServer((socket) => socket.end(name)).listen(0, '10.42.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function ask(address: string): Promise<string> {
  const socket = connect(80, address);
  try {
    return (await socket.setEncoding('utf8').toArray()).join('');
  } catch {
    return '';
  }
}

const ports = { A: await serve('A'), B: await serve('B') };
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const services = '/api/v1/namespaces/default/services';
const { spec } = (await call('POST', services, {
  metadata: { name: NAME },
  spec: { ports: [{ port: 80 }] },
})) as { spec: { clusterIP: string } };
await call('POST', slices, {
  metadata: { name: NAME, labels: { 'kubernetes.io/service-name': NAME } },
  addressType: 'IPv4',
  ports: [{ port: ports.A, protocol: 'TCP' }],
  endpoints: [{ addresses: ['10.42.0.1'], conditions: { ready: true } }],
});
const reaches = async (name: string) => {
  while ((await ask(spec.clusterIP)) !== name) await delay(2);
};
await reaches('A');
const times: number[] = [];
for (let round = 0; round < Number(process.argv[2]); round++) {
  const name = round % 2 === 0 ? 'B' : 'A';
  const begin = performance.now();
  const patch = { ports: [{ port: ports[name], protocol: 'TCP' }] };
  await call('PATCH', `${slices}/${NAME}`, patch, 'application/merge-patch+json');
  await reaches(name);
  times.push(performance.now() - begin);
}
await call('DELETE', `${slices}/${NAME}`, {});
await call('DELETE', `${services}/${NAME}`, {});
console.log(JSON.stringify(times));
process.exit();
