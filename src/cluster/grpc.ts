import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';

/** A call that was answered with another status than OK. */
export class GrpcError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One call with one answer, whose content nobody needs (gRPC over HTTP/2, PROTOCOL-HTTP2.md). */
export function callUnary(
  session: ClientHttp2Session,
  path: string,
  message: Buffer,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      { signal },
    );
    let status: string | undefined;
    let text = '';
    // A call that fails at once has its status in the headers, any other in the trailers.
    const take = (headers: IncomingHttpHeaders): void => {
      status = headers['grpc-status']?.toString() ?? status;
      text = decodeMessage(headers['grpc-message']?.toString() ?? text);
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', reject);
    stream.on('close', () => {
      if (status === '0') {
        resolve();
      } else if (status === undefined) {
        reject(new Error('the connection ended without an answer'));
      } else {
        reject(new GrpcError(Number(status), text));
      }
    });
    stream.resume();
    stream.end(frame(message));
  });
}

/** Field `number` of a protobuf message, of wire type 2: strings, bytes, messages. */
export function encodeField(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) {
    bytes.push((rest & 0x7f) | 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** Percent-encoded where it is not plain ASCII; containerd's own texts may hold a stray "%". */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
