import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagnose, lastWarnings, renderDiagnosis } from '../../../src/cluster/diagnose.ts';
import { troubleOf, type KubernetesObject } from '../../../src/cluster/objects.ts';
import { ApiServer, reply } from '../network/apiserver.ts';

const pod = (status: KubernetesObject['status'], more: object = {}): KubernetesObject => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { nodeName: 'runner' },
  ...(status && { status }),
  ...more,
});
const waiting = (reason: string, message?: string) => ({
  waiting: { reason, ...(message && { message }) },
});
const container = (changes: object) => ({ name: 'web', ready: false, restartCount: 0, ...changes });

describe('troubleOf', () => {
  it.each([
    ['a ready pod', pod({ conditions: [{ type: 'Ready', status: 'True' }] }), undefined],
    ['a job that is done', pod({ phase: 'Succeeded' }), undefined],
    [
      'an image that cannot be pulled',
      pod({ containerStatuses: [container({ state: waiting('ErrImagePull', 'not found') })] }),
      'web: ErrImagePull: not found',
    ],
    [
      'a crash loop',
      pod({
        containerStatuses: [
          container({
            restartCount: 3,
            state: waiting('CrashLoopBackOff', 'back-off 40s'),
            lastState: { terminated: { reason: 'Error', exitCode: 1 } },
          }),
        ],
      }),
      'web: CrashLoopBackOff: back-off 40s; before: Error (exit code 1), 3 restarts',
    ],
    [
      'an init container that fails, before the others are looked at',
      pod({
        initContainerStatuses: [
          container({ name: 'done', state: { terminated: { exitCode: 0 } } }),
          container({ name: 'init', state: { terminated: { reason: 'Error', exitCode: 2 } } }),
        ],
        containerStatuses: [container({ state: waiting('PodInitializing') })],
      }),
      'init: Error (exit code 2)',
    ],
    [
      'a probe that fails',
      pod({ containerStatuses: [container({ state: { running: {} } })] }),
      'web: running, not ready',
    ],
    [
      'one that fits nowhere',
      pod({
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' },
        ],
      }),
      'Unschedulable: 0/1 nodes',
    ],
    ['one without a node', { metadata: {}, status: { phase: 'Pending' } }, 'not scheduled yet'],
    [
      'an evicted one',
      pod({ phase: 'Failed', reason: 'Evicted', message: 'disk' }),
      'Evicted: disk',
    ],
    [
      'one whose sandbox is being made',
      pod({ phase: 'Pending' }),
      'Pending, its containers have not started',
    ],
  ] as [string, KubernetesObject, string | undefined][])('%s', (_, object, trouble) => {
    expect(troubleOf(object)).toBe(trouble);
  });
});

describe('lastWarnings', () => {
  it('are the last ones, in the order in which they were seen last', () => {
    const event = (reason: string, lastTimestamp: string, type = 'Warning', count = 1) => ({
      metadata: {},
      ...{ type, reason, message: `${reason}!\n`, lastTimestamp, count },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' },
    });
    expect(
      lastWarnings([
        event('B', '2026-11-25T03:00:02Z', 'Warning', 7),
        event('A', '2026-11-25T03:00:01Z'),
        event('N', '2026-11-25T03:00:03Z', 'Normal'),
      ]),
    ).toEqual(['Pod default/web: A: A!', '7 x Pod default/web: B: B!']);
  });
});

describe('diagnose', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = new ApiServer();
    await server.listen();
  });
  afterEach(() => {
    server.close();
  });

  it('tells what is not well, and what could not be asked', async () => {
    server.handle = ({ path, response }) => {
      if (path === '/api/v1/nodes') {
        const conditions = [
          { type: 'Ready', status: 'False', message: 'PLEG is not healthy' },
          { type: 'MemoryPressure', status: 'True', message: 'too little' },
          { type: 'DiskPressure', status: 'False', message: 'enough' },
        ];
        reply(response, 200, { items: [{ metadata: { name: 'runner' }, status: { conditions } }] });
      } else if (path === '/api/v1/pods') {
        reply(response, 200, { items: [pod({ phase: 'Pending' })] });
      } else if (path === '/api/v1/persistentvolumeclaims') {
        reply(response, 200, { items: [] });
      } else {
        reply(response, 500, { message: 'etcd' });
      }
    };
    const diagnosis = await diagnose(server.client(), AbortSignal.timeout(5_000));
    expect(renderDiagnosis(diagnosis)).toEqual([
      'Nodes:',
      '  runner: not Ready: PLEG is not healthy',
      '  runner: MemoryPressure: too little',
      'Pods that are not ready:',
      '  default/web: Pending, its containers have not started',
      'What could not be asked:',
      '  GET /api/v1/events: 500 etcd',
    ]);
  });

  it('says why a claim has no volume, by the newest of its own events', async () => {
    const claim = (name: string, phase = 'Pending') => ({
      metadata: { name, namespace: 'default' },
      status: { phase },
    });
    const event = (name: string, reason: string, minute: number, message: string) => ({
      metadata: { name: `${name}.${minute}` },
      ...{ type: 'Normal', reason, message, lastTimestamp: `2026-11-25T09:0${minute}:00Z` },
      involvedObject: { kind: 'PersistentVolumeClaim', namespace: 'default', name },
    });
    const answers: Record<string, object[]> = {
      '/api/v1/persistentvolumeclaims': [
        ...[claim('backup'), claim('shared'), claim('silent')],
        claim('bound', 'Bound'),
      ],
      '/api/v1/events': [
        event('shared', 'ProvisioningFailed', 2, 'only ReadWriteOnce'),
        event('shared', 'WaitForFirstConsumer', 1, 'waiting'),
        event('backup', 'WaitForFirstConsumer', 1, 'waiting'),
        event('bound', 'WaitForFirstConsumer', 1, 'waiting'),
      ],
    };
    server.handle = ({ path, response }) => {
      reply(response, 200, { items: answers[path] ?? [] });
    };
    const { claims } = await diagnose(server.client(), AbortSignal.timeout(5_000));
    expect(claims).toEqual([
      'default/backup: no pod uses it, and its class makes a volume for the first one that does; "helm --wait" waits for the volume all the same',
      'default/shared: Pending: ProvisioningFailed: only ReadWriteOnce',
      'default/silent: Pending: nothing was said of it',
    ]);
  });

  it('ends when nobody answers', async () => {
    server.handle = () => undefined;
    const { unknown } = await diagnose(server.client(), AbortSignal.timeout(50));
    expect(unknown).toHaveLength(4);
  });
});
