import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { moduleDir, tool } from '../tools.ts';
import { busybox, distroless, group, passwd, path, web, type Image } from './parts.ts';

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

  gatekeeper: async (): Promise<Image> => ({
    names: ['docker.io/openpolicyagent/gatekeeper:v3.23.1'],
    config: { User: '65532:65532', Env: [path], Entrypoint: ['/manager'], WorkingDir: '/' },
    layers: {
      distroless,
      gatekeeper: { tools: { '/manager': { from: await tool('gatekeeper') } } },
    },
  }),
  // kubectl, and the definitions that the chart's first hook applies.
  'gatekeeper-crds': async (): Promise<Image> => {
    const module = await moduleDir('gatekeeper', 'github.com/open-policy-agent/gatekeeper/v3');
    const crds = join(module, 'charts/gatekeeper/crds');
    const files = await Promise.all(
      (await readdir(crds)).map(async (name) => {
        const content = await readFile(join(crds, name), 'utf8');
        return [`/crds/${name}`, { content, mode: 0o644 }] as const;
      }),
    );
    return {
      names: ['docker.io/openpolicyagent/gatekeeper-crds:v3.23.1'],
      config: { User: '65532:65532', Env: [path], Entrypoint: ['/kubectl'], WorkingDir: '/' },
      layers: {
        kubectl: { tools: { '/kubectl': { from: await tool('kubectl') } } },
        'gatekeeper-crds': { files: Object.fromEntries(files) },
      },
    };
  },

  t4: async (): Promise<Image> => ({
    names: ['ghcr.io/t4db/t4:0.12.2'],
    config: { User: 'nonroot', Env: [path], Entrypoint: ['/t4'], Cmd: ['run'], WorkingDir: '/' },
    layers: {
      busybox,
      t4: {
        certificates: true,
        tools: { '/t4': { from: await tool('t4') } },
        directories: { '/var/lib/t4': { mode: 0o755, uid: 65532 } },
        files: {
          '/etc/passwd': passwd('nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin'),
          '/etc/group': group('nonroot:x:65532:'),
        },
      },
    },
  }),

  // The chart in version 0.36.0 of the module is still 0.35.0.
  descheduler: async (): Promise<Image> => ({
    names: ['registry.k8s.io/descheduler/descheduler:v0.35.0'],
    config: { User: '1000', Env: [path], Cmd: ['/bin/descheduler', '--help'], WorkingDir: '/' },
    layers: {
      descheduler: { tools: { '/bin/descheduler': { from: await tool('descheduler') } } },
    },
  }),

  // The newest that the module proxy has by this name.
  'sealed-secrets': async (): Promise<Image> => ({
    names: ['docker.io/bitnami/sealed-secrets-controller:0.27.0'],
    config: { User: '1001', Env: [path], Entrypoint: ['controller'], WorkingDir: '/' },
    layers: {
      distroless,
      'sealed-secrets': {
        tools: { '/usr/local/bin/controller': { from: await tool('sealed-secrets') } },
      },
    },
  }),
} satisfies Record<string, () => Promise<Image>>;
