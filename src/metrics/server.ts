import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../errors.ts';
import { apply, untilDone } from '../kubernetes/apply.ts';
import { ApiError, type ApiClient } from '../kubernetes/client.ts';
import { onChange, type Log } from '../log.ts';
import {
  discovery,
  failure,
  listOf,
  nodeMetrics,
  podMetrics,
  questionOf,
  type NodeJson,
  type PodJson,
} from './answer.ts';
import { selfSigned, type ServingCertificate } from './certificate.ts';
import { readUsage } from './cgroups.ts';
import {
  readFrontProxy,
  registrations,
  SERVER_NAME,
  type Endpoint,
  type FrontProxy,
} from './registration.ts';
import { Samples } from './sampler.ts';

const CGROUPS = '/sys/fs/cgroup';
/** An autoscaler looks every 15 s. */
const INTERVAL_MS = 5_000;

export interface Answer {
  readonly status: number;
  readonly body: object;
}

/**
 * Serves the metrics API (kubectl top, HorizontalPodAutoscaler) from the cgroups. cAdvisor, which the
 * kubelet and so metrics-server have it from, gives up here: docs/metrics.md. Goes on until the signal
 * is aborted, with whose reason it rejects.
 */
export async function serveMetrics(
  client: ApiClient,
  endpoint: Endpoint,
  say: Log,
  signal: AbortSignal,
): Promise<never> {
  const samples = new Samples();
  return Promise.race([sample(samples, say, signal), serve()]);

  async function serve(): Promise<never> {
    const certificate = selfSigned(SERVER_NAME);
    const frontProxy = await untilDone(
      'learn who the API server is',
      () => readFrontProxy(client, signal),
      say,
      signal,
    );
    await listen(endpoint, certificate, frontProxy, (url) => answer(url, client, samples), signal);
    const objects = registrations(endpoint, certificate.cert);
    await untilDone('register the metrics API', () => apply(client, objects, signal), say, signal);
    say(`Serving ${SERVER_NAME} on ${endpoint.ip}:${endpoint.port}`);
    return new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  }
}

async function sample(samples: Samples, say: Log, signal: AbortSignal): Promise<never> {
  const complain = onChange(say);
  for (;;) {
    try {
      samples.take(await readUsage(CGROUPS), Date.now());
    } catch (error) {
      complain(`Failed to read the cgroups: ${errorMessage(error)}`);
    }
    await delay(INTERVAL_MS, undefined, { signal });
  }
}

/**
 * Pods reach this address as well. Only the API server's own certificate is let in, and it asks on
 * behalf of those alone whom it has authenticated and authorised.
 */
export function listen(
  { ip, port }: Endpoint,
  { cert, key }: ServingCertificate,
  { ca, names }: FrontProxy,
  answerTo: (url: URL) => Promise<Answer>,
  signal: AbortSignal,
): Promise<void> {
  const server = createServer(
    { cert, key, ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      void respond(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.on('secureConnection', (socket) => {
    const name = String(socket.getPeerCertificate().subject.CN);
    if (names.length > 0 && !names.includes(name)) {
      socket.destroy();
    }
  });
  server.on('error', (error) => {
    reject(new Error(`Failed to listen on ${ip}:${port}: ${error.message}`));
  });
  server.listen({ host: ip, port, signal }, () => {
    resolve(undefined);
  });
  return promise;

  async function respond({ method, url = '/' }: IncomingMessage): Promise<Answer> {
    if (method !== 'GET') {
      return refuse(405, 'metrics can be read only');
    }
    try {
      return await answerTo(new URL(url, `https://${SERVER_NAME}`));
    } catch (error) {
      return error instanceof ApiError
        ? refuse(error.status, error.message)
        : refuse(500, errorMessage(error));
    }
  }
}

async function answer(url: URL, client: ApiClient, samples: Samples): Promise<Answer> {
  const document = discovery(url.pathname);
  if (document !== undefined) {
    return { status: 200, body: document };
  }
  const question = questionOf(url);
  if (question === undefined) {
    return refuse(404, `${url.pathname} is not served; there are pods and nodes`);
  }
  const { kind, path, query, single } = question;
  const found = await client.request('GET', path, { query });
  const measure = (object: unknown): object | undefined =>
    kind === 'Pod'
      ? podMetrics(object as PodJson, samples)
      : nodeMetrics(object as NodeJson, samples);
  if (single) {
    const metrics = measure(found);
    return metrics === undefined
      ? refuse(404, `no metrics of ${path} yet; they are taken every ${INTERVAL_MS / 1000} s`)
      : { status: 200, body: metrics };
  }
  const { items } = found as { items: unknown[] };
  return {
    status: 200,
    body: listOf(
      kind,
      items.flatMap((item) => measure(item) ?? []),
    ),
  };
}

function refuse(status: number, message: string): Answer {
  return { status, body: failure(status, message) };
}
