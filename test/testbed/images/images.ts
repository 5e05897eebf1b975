import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from '../cache.ts';
import { command } from '../command.ts';
import { testbedDir } from '../paths.ts';
import { moduleDir, tool } from '../tools.ts';
import { writeArchive } from './archive.ts';
import { foreignImages } from './foreign.ts';
import { buildLayer } from './layer.ts';
import { busybox, distroless, group, passwd, path, web, type Image } from './parts.ts';
import { versions } from './pool.ts';

const textFile = async (name: string, mode = 0o644) => ({
  content: await readFile(join(testbedDir, 'images', name), 'utf8'),
  mode,
});

/** Each image the way its real namesake is, as far as a workload can tell. */
const images = {
  pause: async (): Promise<Image> => ({
    names: ['docker.io/rancher/mirrored-pause:3.6'],
    config: { User: '65535:65535', Env: [path], Entrypoint: ['/pause'], WorkingDir: '/' },
    layers: { pause: { tools: { '/pause': { from: await pauseProgram() } } } },
  }),

  coredns: async (): Promise<Image> => ({
    names: ['docker.io/rancher/mirrored-coredns-coredns:1.14.4'],
    config: {
      User: 'nonroot:nonroot',
      Env: [path, 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'],
      Entrypoint: ['/coredns'],
      WorkingDir: '/',
      ExposedPorts: { '53/tcp': {}, '53/udp': {} },
    },
    layers: {
      distroless,
      coredns: {
        tools: {
          '/coredns': { from: await tool('coredns'), capability: 'cap_net_bind_service=+ep' },
        },
      },
    },
  }),

  // The newest the module proxy has is v0.0.30; k3s names the other tag.
  'local-path-provisioner': async (): Promise<Image> => ({
    names: [
      'docker.io/rancher/local-path-provisioner:v0.0.30',
      'docker.io/rancher/local-path-provisioner:v0.0.36',
    ],
    config: { Env: [path], Cmd: ['local-path-provisioner'] },
    layers: {
      busybox,
      'local-path-provisioner': {
        tools: {
          '/usr/bin/local-path-provisioner': { from: await tool('local-path-provisioner') },
        },
      },
    },
  }),

  // Debian's is 1.35; these are the tags k3s names, and the one local-path-provisioner's own chart does.
  busybox: (): Promise<Image> =>
    Promise.resolve({
      names: [
        'docker.io/rancher/mirrored-library-busybox:1.36.1',
        'docker.io/rancher/mirrored-library-busybox:1.37.0',
        'docker.io/library/busybox:latest',
      ],
      config: { Env: [path], Cmd: ['sh'] },
      layers: { busybox },
    }),

  // Files of an owner whose id has eight digits, as images built on a company's machines have them.
  'large-ids': (): Promise<Image> =>
    Promise.resolve({
      names: ['docker.io/library/large-ids:1'],
      config: { Env: [path], Cmd: ['sh'] },
      layers: { busybox, owned: { directories: { '/app': { mode: 0o755, uid: 172_761_424 } } } },
    }),

  nginx: async (): Promise<Image> => ({
    names: [`docker.io/library/nginx:${versions.nginx}`],
    config: {
      Env: [path, `NGINX_VERSION=${versions.nginx}`],
      Entrypoint: ['/docker-entrypoint.sh'],
      Cmd: ['nginx', '-g', 'daemon off;'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
    },
    layers: {
      busybox,
      web,
      nginx: {
        data: ['/etc/nginx/mime.types', '/usr/share/nginx/html/index.html'],
        directories: {
          '/var/log/nginx': { mode: 0o755, uid: 0 },
          '/var/cache/nginx': { mode: 0o755, uid: 0 },
        },
        files: {
          '/etc/passwd': passwd('nginx:x:101:101:nginx user:/nonexistent:/bin/false'),
          '/etc/group': group('nginx:x:101:'),
          '/etc/nginx/nginx.conf': await textFile('nginx.conf'),
          '/etc/nginx/conf.d/default.conf': await textFile('nginx-default.conf'),
          '/docker-entrypoint.sh': { content: '#!/bin/sh\nset -e\nexec "$@"\n', mode: 0o755 },
        },
        links: {
          '/var/log/nginx/access.log': '/dev/stdout',
          '/var/log/nginx/error.log': '/dev/stderr',
        },
      },
    },
  }),

  curl: (): Promise<Image> =>
    Promise.resolve({
      // The others are what podinfo's tests and Gatekeeper's hooks name.
      names: [versions.curl, '7.69.0', '8.20.0'].map((tag) => `docker.io/curlimages/curl:${tag}`),
      config: {
        User: 'curl_user',
        Env: [path, 'CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt', 'ENV=/etc/profile'],
        Entrypoint: ['/entrypoint.sh'],
        Cmd: ['curl'],
        WorkingDir: '/home/curl_user',
      },
      layers: {
        busybox,
        web,
        curl: {
          directories: { '/home/curl_user': { mode: 0o755, uid: 100 } },
          files: {
            '/etc/passwd': passwd('curl_user:x:100:101:Linux User,,,:/home/curl_user:/bin/sh'),
            '/etc/group': group('curl_group:x:101:curl_user'),
            '/entrypoint.sh': {
              // `docker run curlimages/curl --version` means curl's own option.
              content: '#!/bin/sh\ncase $1 in -*) set -- curl "$@" ;; esac\nexec "$@"\n',
              mode: 0o755,
            },
          },
        },
      },
    }),

  agnhost: async (): Promise<Image> => {
    const porter = join(
      await moduleDir('agnhost', 'k8s.io/kubernetes'),
      'test/images/agnhost/porter',
    );
    const porterFile = async (name: string) => ({
      content: await readFile(join(porter, name), 'utf8'),
      mode: 0o644,
    });
    return {
      names: ['registry.k8s.io/e2e-test-images/agnhost:2.56'],
      config: { Env: [path], Entrypoint: ['/agnhost'], Cmd: ['pause'] },
      layers: {
        // bash as sh: the tests look for environment variables with dashes, which busybox drops.
        shell: {
          ...busybox,
          programs: ['/bin/busybox', '/bin/bash'],
          links: { ...busybox.links, '/bin/sh': 'bash' },
        },
        web,
        agnhost: {
          programs: [
            ...['/usr/bin/dig', '/usr/bin/getent', '/usr/bin/iperf'],
            ...['/bin/ss', '/bin/ip', '/bin/nc.openbsd'],
          ],
          tools: { '/agnhost': { from: await tool('agnhost') } },
          directories: { '/uploads': { mode: 0o755, uid: 0 } },
          files: {
            '/localhost.crt': await porterFile('localhost.crt'),
            '/localhost.key': await porterFile('localhost.key'),
            '/etc/passwd': passwd('user-defined-in-image:x:1000:1000::/home:/bin/sh'),
            '/etc/group': group(
              'user-defined-in-image:x:1000:',
              'group-defined-in-image:x:50000:user-defined-in-image',
            ),
          },
          links: { '/agnhost-2': 'agnhost', '/bin/nc': 'nc.openbsd' },
        },
      },
    };
  },
} satisfies Record<string, () => Promise<Image>>;

const all = { ...images, ...foreignImages };

export type ImageName = keyof typeof all;

/** Those that `make test` takes. */
export const imageNames = Object.keys(images) as (keyof typeof images)[];

/** Path of the image's archive, importable by `ctr image import`, or put into `agent/images`. */
export async function image(name: ImageName): Promise<string> {
  const { names, config, layers } = await all[name]();
  const tars: string[] = [];
  for (const [layer, content] of Object.entries(layers))
    tars.push(await buildLayer(layer, content));
  const builder = await readFile(join(testbedDir, 'images', 'archive.ts'));
  const inputs = [JSON.stringify({ names, config, tars }), builder];
  const dir = await cached(`image-${name}`, inputs, async (path) => {
    await mkdir(path);
    await writeArchive(join(path, `${name}.tar`), { names, config, layers: tars });
  });
  // k3s imports by suffix.
  return join(dir, `${name}.tar`);
}

async function pauseProgram(): Promise<string> {
  const source = join(testbedDir, 'images', 'pause.c');
  return cached('pause', [await readFile(source), process.arch], async (path) => {
    await command(['musl-gcc', '-static', '-Os', '-s', '-o', path, source]);
  });
}
