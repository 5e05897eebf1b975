import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface ServingCertificate {
  /** PEM; also what clients trust it by. */
  readonly cert: string;
  readonly key: string;
}

const TEN_YEARS_MS = 10 * 365 * 24 * 3600 * 1000;

/**
 * A self-signed certificate for a server called `name` (RFC 5280), by hand: Node makes keys and
 * signatures but no certificates, and a library for this one would be larger than the rest of the
 * controller.
 */
export function selfSigned(name: string): ServingCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = certificate(name, publicKey, privateKey);
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${wrapped(der.toString('base64'))}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function certificate(name: string, publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const algorithm = sequence(objectId(ECDSA_WITH_SHA256));
  const subject = sequence(set(sequence(objectId(COMMON_NAME), text(name))));
  const now = Date.now();
  // Positive, and at most 20 octets.
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(15)]);
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    subject,
    sequence(time(now - 3_600_000), time(now + TEN_YEARS_MS)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(alternativeName(name))),
  );
  return sequence(content, algorithm, bits(sign('sha256', content, privateKey)));
}

const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
const SUBJECT_ALTERNATIVE_NAME = '551d11';

function alternativeName(name: string): Buffer {
  const names = sequence(der(0x82, Buffer.from(name, 'ascii')));
  return sequence(objectId(SUBJECT_ALTERNATIVE_NAME), der(0x04, names));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  const significant = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  const size = length < 0x80 ? [length] : [0x80 | significant.length, ...significant];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const set = (...parts: Buffer[]): Buffer => der(0x31, Buffer.concat(parts));
const integer = (value: Buffer): Buffer => der(0x02, value);
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const text = (value: string): Buffer => der(0x0c, Buffer.from(value, 'utf8'));
const bits = (value: Buffer): Buffer => der(0x03, Buffer.concat([Buffer.from([0]), value]));
const tagged = (tag: number, content: Buffer): Buffer => der(0xa0 | tag, content);

/** UTCTime, which ends with the year 2049. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '').slice(2);
  return der(0x17, Buffer.from(digits, 'ascii'));
}

function wrapped(base64: string): string {
  return (base64.match(/.{1,64}/g) ?? []).join('\n');
}
