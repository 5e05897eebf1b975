import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { climb, ReadinessError, type Climb } from '../../../src/cluster/readiness.ts';
import { ApiServer, kubeconfig, reply, type Received } from '../network/apiserver.ts';

let server: ApiServer;
let directory = '';
let reached: string[];
let saw: string[];

beforeEach(async () => {
  server = new ApiServer();
  await server.listen();
  directory = mkdtempSync(join(tmpdir(), 'climb-'));
  reached = [];
  saw = [];
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

const never = new Promise<never>(() => undefined);

function ladder(changes: Partial<Climb> = {}): Climb {
  return {
    mode: 'full',
    dns: true,
    metrics: false,
    containerd: undefined,
    nodeName: 'runner',
    agents: [],
    kubeconfig: join(directory, 'k3s.yaml'),
    server: `http://127.0.0.1:${server.port}`,
    ended: never,
    signal: AbortSignal.timeout(10_000),
    saw: (rung, what) => saw.push(`${rung}: ${what}`),
    reached: (rung) => {
      reached.push(rung);
    },
    ...changes,
  };
}

/** k3s's own address is not the runner's. */
const writeK3sKubeconfig = (): void => {
  writeFileSync(join(directory, 'k3s.yaml'), kubeconfig('http://10.42.0.1:6443'));
};

const event = (object: unknown, type = 'MODIFIED'): string =>
  `${JSON.stringify({ type, object })}\n`;

const notReady = { type: 'Ready', status: 'False', message: 'cni plugin not initialized' };
const coredns = (state: unknown): object => ({
  metadata: { name: 'coredns-1' },
  spec: { nodeName: 'runner' },
  status: {
    phase: 'Pending',
    containerStatuses: [{ name: 'coredns', ready: false, restartCount: 0, state }],
  },
});

/** An API server on which all goes well, but for what `also` answers. */
function wellBut(also: (request: Received) => boolean = () => false): void {
  server.handle = (request) => {
    const { path, response } = request;
    if (also(request)) return;
    if (path === '/readyz') response.end('ok');
    else if (path.endsWith('/nodes')) {
      response.write(event({ metadata: { name: 'runner' }, status: { conditions: [notReady] } }));
      response.write(
        event({
          metadata: { name: 'runner' },
          status: { conditions: [{ type: 'Ready', status: 'True' }] },
        }),
      );
    } else if (path.endsWith('/serviceaccounts')) {
      response.write(event({ metadata: { name: 'default' } }));
    } else if (path.endsWith('/pods')) {
      response.write(
        event(coredns({ waiting: { reason: 'ErrImagePull', message: 'no such host' } })),
      );
    } else if (path.endsWith('/endpointslices')) {
      response.write(
        event({ metadata: { name: 'kube-dns-1' }, endpoints: [{ conditions: { ready: true } }] }),
      );
    } else reply(response, 404, {});
  };
}

describe('climb', () => {
  it('climbs by what it watches, and waits for who is told of a rung', async () => {
    wellBut();
    const order: string[] = [];
    const climbing = climb(
      ladder({
        reached: async (rung) => {
          order.push(rung);
          await Promise.resolve();
          order.push(`told ${rung}`);
        },
      }),
    );
    writeK3sKubeconfig();
    await climbing;
    expect(order.filter((text) => !text.startsWith('told '))).toEqual([
      'kubeconfig written',
      'API server ready',
      'node Ready',
      'default service account',
      'cluster DNS ready',
    ]);
    expect(order.indexOf('told API server ready')).toBeLessThan(order.indexOf('node Ready'));
    expect(saw).toContain('node Ready: runner: not Ready: cni plugin not initialized');
  });

  it('asks again where the server is not ready, and says in one line why', async () => {
    const answers = [
      [503, 'not ready:\n refused\n'],
      [500, `[+]ping ok\n${'[+]log ok\n'.repeat(30)}[-]etcd failed: reason withheld\nnot ready\n`],
    ] as const;
    let asked = 0;
    wellBut(({ path, response }) => {
      const answer = path === '/readyz' ? answers[asked++] : undefined;
      if (answer === undefined) return false;
      response.writeHead(answer[0]).end(answer[1]);
      return true;
    });
    writeK3sKubeconfig();
    await climb(ladder({ mode: 'control-plane' }));
    expect(reached).toEqual(['kubeconfig written', 'API server ready', 'default service account']);
    expect(saw).toContain('API server ready: GET /readyz: 503 not ready: refused');
    expect(saw).toContain('API server ready: GET /readyz: 500 [-]etcd failed: reason withheld');
  });

  it('says what the pods of the cluster DNS lack', async () => {
    wellBut(({ path, response }) => {
      if (path.endsWith('/endpointslices')) {
        response.write(event({ metadata: { name: 'kube-dns-1' }, endpoints: [] }));
        return true;
      }
      return false;
    });
    writeK3sKubeconfig();
    const { promise, resolve } = Promise.withResolvers<string>();
    const climbing = climb(
      ladder({
        ended: promise,
        saw: (_, what) => {
          if (what.startsWith('coredns-1')) resolve('k3s ended with signal 9');
        },
      }),
    );
    await expect(climbing).rejects.toThrow(
      'Failed to reach "cluster DNS ready": k3s ended with signal 9; last seen: coredns-1: coredns: ErrImagePull: no such host',
    );
  });

  it('ends with the reason of its signal, also before it began', async () => {
    const signal = AbortSignal.abort(new Error('the timeout passed'));
    await expect(climb(ladder({ signal }))).rejects.toThrow(
      /^Failed to reach "kubeconfig written": the timeout passed; last seen: /,
    );
    await expect(climb(ladder({ signal }))).rejects.toBeInstanceOf(ReadinessError);
  });

  it('ends when something else has failed meanwhile', async () => {
    server.handle = () => undefined;
    writeK3sKubeconfig();
    const abort = new AbortController();
    const climbing = climb(
      ladder({
        signal: abort.signal,
        reached: () => {
          abort.abort(new Error('the pull failed'));
        },
      }),
    );
    await expect(climbing).rejects.toThrow('Failed to reach "API server ready": the pull failed');
  });
});
