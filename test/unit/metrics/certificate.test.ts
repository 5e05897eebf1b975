import { X509Certificate } from 'node:crypto';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { selfSigned } from '../../../src/metrics/certificate.ts';

const NAME = 'a.b.svc';

it('is what OpenSSL takes for a certificate of its name', () => {
  const { cert } = selfSigned(NAME);
  const parsed = new X509Certificate(cert);
  expect(parsed.subject).toBe(`CN=${NAME}`);
  expect(parsed.subjectAltName).toBe(`DNS:${NAME}`);
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.validFromDate.getTime()).toBeLessThan(Date.now());
  expect(parsed.validToDate.getFullYear()).toBe(new Date().getFullYear() + 10);
});

it('serves those who trust it, under its own name only', async () => {
  const { cert, key } = selfSigned(NAME);
  const server = createServer({ cert, key }, (_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ask = (servername: string): Promise<number> =>
    new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, ca: cert, servername }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on('error', reject);
    });
  try {
    expect(await ask(NAME)).toBe(200);
    await expect(ask('other.svc')).rejects.toThrow(/altnames/);
  } finally {
    server.close();
  }
});
