import { tool } from '../tools.ts';
import { busybox, group, passwd, path, web, type Image } from './parts.ts';

/** What the charts of test/charts and their own tests run, under the names they give. */
export const foreignImages = {
  podinfo: async (): Promise<Image> => ({
    names: ['ghcr.io/stefanprodan/podinfo:6.9.2'],
    config: { User: 'app', Env: [path], Cmd: ['./podinfo'], WorkingDir: '/home/app' },
    layers: {
      busybox,
      web,
      podinfo: {
        directories: { '/home/app': { mode: 0o755, uid: 100 } },
        files: {
          '/etc/passwd': passwd('app:x:100:101:Linux User,,,:/home/app:/sbin/nologin'),
          '/etc/group': group('app:x:101:app'),
        },
        tools: {
          '/home/app/podinfo': { from: await tool('podinfo') },
          '/usr/local/bin/podcli': { from: await tool('podcli') },
        },
      },
    },
  }),

  'grpc-health-probe': async (): Promise<Image> => ({
    names: ['docker.io/stefanprodan/grpc_health_probe:v0.3.0'],
    config: { Env: [path], Entrypoint: ['grpc_health_probe'] },
    layers: {
      busybox,
      'grpc-health-probe': {
        tools: { '/usr/local/bin/grpc_health_probe': { from: await tool('grpc-health-probe') } },
      },
    },
  }),
  'tiny-tools': (): Promise<Image> =>
    Promise.resolve({
      names: ['docker.io/giantswarm/tiny-tools:latest'],
      config: { Env: [path], Cmd: ['sh'] },
      layers: { busybox, web, jq: { programs: ['/usr/bin/jq'] } },
    }),
  redis: (): Promise<Image> =>
    Promise.resolve({
      names: ['docker.io/library/redis:7.0.7'],
      config: { Env: [path], Cmd: ['redis-server'], WorkingDir: '/data' },
      layers: {
        busybox,
        redis: {
          programs: ['/usr/bin/redis-server', '/usr/bin/redis-cli'],
          // Its namesake is compiled with the protected mode off, or nobody outside of the pod is served.
          files: {
            '/usr/local/bin/redis-server': {
              content: '#!/bin/sh\nexec /usr/bin/redis-server "$@" --protected-mode no\n',
              mode: 0o755,
            },
          },
          directories: { '/data': { mode: 0o755, uid: 0 } },
        },
      },
    }),
} satisfies Record<string, () => Promise<Image>>;
