import { request } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { selfSigned, type ServingCertificate } from '../../../src/metrics/certificate.ts';
import { listen } from '../../../src/metrics/server.ts';

const SERVER = 'metrics.svc';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('answers the API server and nobody else', async () => {
  const serving = selfSigned(SERVER);
  const proxy = selfSigned('system:auth-proxy');
  const other = selfSigned('system:admin');
  const port = await freePort();
  const stop = new AbortController();
  await listen(
    { ip: '127.0.0.1', port },
    serving,
    { ca: proxy.cert + other.cert, names: ['system:auth-proxy'] },
    (url) => Promise.resolve({ status: 200, body: { path: url.pathname } }),
    stop.signal,
  );
  const ask = (client: Partial<ServingCertificate>, method = 'GET'): Promise<number> =>
    new Promise((resolve, reject) => {
      const call = request(
        { host: '127.0.0.1', port, method, servername: SERVER, ca: serving.cert, ...client },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      call.on('error', reject);
      call.end();
    });
  try {
    expect(await ask(proxy)).toBe(200);
    expect(await ask(proxy, 'POST')).toBe(405);
    // Signed by the right authority, for another purpose.
    await expect(ask(other)).rejects.toThrow();
    await expect(ask(selfSigned('system:auth-proxy'))).rejects.toThrow();
    await expect(ask({})).rejects.toThrow();
  } finally {
    stop.abort();
  }
});
