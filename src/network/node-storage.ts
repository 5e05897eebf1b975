import { statfs } from 'node:fs/promises';

import { errorMessage } from '../errors.ts';
import { ApiError, type ApiClient } from '../kubernetes/client.ts';
import { Reflector } from '../kubernetes/reflector.ts';
import type { MetadataJson } from '../kubernetes/wire.ts';
import type { Log } from '../log.ts';

const RETRY_MS = 1000;
const TMPFS_MAGIC = 0x01021994;

/** The fields of a Node that are read here. */
export interface NodeJson {
  metadata: MetadataJson;
  status?: { capacity?: Record<string, string>; allocatable?: Record<string, string> };
}

/** What a file system says of itself. */
export interface FileSystem {
  readonly type: number;
  readonly bytes: number;
}

/** A patch of a node's status, in the form that Kubernetes' strategic merge takes. */
export interface NodeStoragePatch {
  readonly status: {
    readonly capacity: Readonly<Record<string, string>>;
    readonly allocatable: Readonly<Record<string, string>>;
  };
}

const RESOURCE = 'ephemeral-storage';

/**
 * What a node's status is to hold besides; undefined where it says all there is to say. A kubelet that
 * does not look at its storage (the workaround local-storage-isolation) leaves ephemeral-storage
 * out, and the scheduler takes that for none: no pod that requests any, as every chart of some
 * collections does, would ever start. The kubelet keeps what it did not set
 * (pkg/kubelet/nodestatus/setters.go, MachineInfo), and makes allocatable of capacity.
 */
export function storagePatch(
  { status }: NodeJson,
  { type, bytes }: FileSystem,
): NodeStoragePatch | undefined {
  const memory = status?.capacity?.['memory'];
  // The kubelet has not spoken yet, or does look at its storage.
  if (memory === undefined || status?.allocatable?.[RESOURCE] !== undefined) return undefined;
  // A tmpfs is as large as it was allowed to be, in some releases of gVisor without end; what it
  // holds is memory.
  const total = type === TMPFS_MAGIC ? Math.min(bytes || Infinity, bytesOf(memory)) : bytes;
  const quantity = { [RESOURCE]: `${Math.floor(total / 1024)}Ki` };
  return { status: { capacity: quantity, allocatable: quantity } };
}

/** The kubelet writes its node's memory in Ki. */
function bytesOf(quantity: string): number {
  const [, number, unit] = /^(\d+)(Ki)?$/.exec(quantity) ?? [];
  return number === undefined ? Infinity : Number(number) * (unit === undefined ? 1 : 1024);
}

/** Keeps the node's status complete, whoever writes it or makes it anew. */
export class NodeStorage {
  readonly #client: ApiClient;
  readonly #path: string;
  readonly #directory: string;
  readonly #say: Log;
  readonly #nodes: Reflector<NodeJson, NodeJson>;
  /** The version last written on: the reflector is behind what we wrote. */
  #written: string | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** `directory` is where the kubelet keeps what pods write. */
  constructor(client: ApiClient, nodeName: string, directory: string, say: Log) {
    this.#client = client;
    this.#path = `/api/v1/nodes/${nodeName}/status`;
    this.#directory = directory;
    this.#say = say;
    this.#nodes = new Reflector(
      client,
      {
        path: '/api/v1/nodes',
        query: { fieldSelector: `metadata.name=${nodeName}` },
        keep: (json: NodeJson) => json,
      },
      () => {
        this.#complete();
      },
      say,
    );
  }

  /** Goes on until the signal is aborted, with whose reason it rejects. */
  run(signal: AbortSignal): Promise<never> {
    return this.#nodes.run(signal);
  }

  #complete(): void {
    this.#writing = this.#writing.then(() => this.#write());
  }

  async #write(): Promise<void> {
    try {
      const { type, blocks, bsize } = await statfs(this.#directory);
      for (const node of this.#nodes.objects.values()) {
        const body = storagePatch(node, { type, bytes: blocks * bsize });
        if (body === undefined || this.#written === node.metadata.resourceVersion) continue;
        this.#written = node.metadata.resourceVersion;
        await this.#client.request('PATCH', this.#path, {
          contentType: 'application/merge-patch+json',
          body,
        });
        this.#say(`The node's ephemeral-storage is ${body.status.capacity[RESOURCE] ?? ''}`);
      }
    } catch (error) {
      this.#written = undefined;
      // Deleted in the meantime.
      if (error instanceof ApiError && error.status === 404) return;
      this.#say(`Failed to give the node its ephemeral-storage: ${errorMessage(error)}`);
      setTimeout(() => {
        this.#complete();
      }, RETRY_MS).unref();
    }
  }
}
