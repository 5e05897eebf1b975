import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../errors.ts';
import { containerdSocket } from './containerd.ts';
import { callUnary, encodeField, GrpcError } from './grpc.ts';
import { retry } from '../retry.ts';

const PULL_IMAGE = '/runtime.v1.ImageService/PullImage';
const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const POLL_MS = 100;
const ATTEMPTS = 4;

/** With the image, and what containerd said. */
export class PullError extends Error {
  override readonly name = 'PullError';
}

/**
 * Pulls `images` the way the kubelet does, through containerd's CRI: mirrors and credentials of
 * registries.yaml hold, and the images are unpacked when this returns.
 * @param init the process whose child is the first one of the run's namespaces
 * @throws PullError
 */
export async function pullImages(
  images: readonly string[],
  init: number,
  signal: AbortSignal,
): Promise<void> {
  const session = await connectTo(await containerdSocket(init), signal);
  try {
    await Promise.all(images.map((image) => pullImage(session, image, signal)));
  } finally {
    session.destroy();
  }
}

async function pullImage(
  session: ClientHttp2Session,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  // PullImageRequest { ImageSpec image = 1 { string image = 1 } } (k8s.io/cri-api, runtime/v1)
  const request = encodeField(1, encodeField(1, Buffer.from(image)));
  await retry(() => whenServed(() => callUnary(session, PULL_IMAGE, request, signal), signal), {
    attempts: ATTEMPTS,
    isTransient,
    signal,
  }).catch((error: unknown) => {
    throw new PullError(`Failed to pull ${image}: ${errorMessage(error)}`, { cause: error });
  });
}

/** containerd gives every failure of the network as UNKNOWN; a refusal stays one. */
function isTransient(error: unknown): boolean {
  return (
    error instanceof GrpcError &&
    [UNKNOWN, DEADLINE_EXCEEDED, UNAVAILABLE].includes(error.status) &&
    !/\b(401|403|404|unauthorized|forbidden|denied|authorization failed|no basic auth)\b/i.test(
      error.message,
    )
  );
}

/** containerd listens before its CRI plugin is there, and nothing tells when it is. */
async function whenServed<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof GrpcError) || error.status !== UNIMPLEMENTED) {
        throw error;
      }
      await delay(POLL_MS, undefined, { signal });
    }
  }
}

/** Polled: the socket appears in another mount namespace, in a directory that is not there yet. */
async function connectTo(socket: string, signal: AbortSignal): Promise<ClientHttp2Session> {
  for (;;) {
    try {
      return await openSession(socket);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED') {
        throw new Error(`Failed to connect to containerd: ${errorMessage(error)}`, {
          cause: error,
        });
      }
      await delay(POLL_MS, undefined, { signal });
    }
  }
}

function openSession(socket: string): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) });
    session.once('connect', () => {
      resolve(session);
    });
    session.on('error', reject);
  });
}
