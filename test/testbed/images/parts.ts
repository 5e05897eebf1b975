import type { ImageConfig } from './archive.ts';
import type { Layer } from './layer.ts';

export interface Image {
  /** Full references, each with its tag. */
  names: readonly string[];
  config: ImageConfig;
  layers: Readonly<Record<string, Layer>>;
}

export const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const passwd = (...lines: string[]) => ({
  content: ['root:x:0:0:root:/root:/bin/sh', ...lines, ''].join('\n'),
  mode: 0o644,
});
export const group = (...lines: string[]) => ({
  content: ['root:x:0:', ...lines, ''].join('\n'),
  mode: 0o644,
});

// A program linked statically against glibc crashes in name look-ups inside pods (busybox's wget),
// so whatever resolves names here is linked dynamically, or written in Go.
export const busybox: Layer = {
  programs: ['/bin/busybox'],
  busybox: true,
  directories: {
    '/root': { mode: 0o700, uid: 0 },
    '/tmp': { mode: 0o1777, uid: 0 },
    '/run': { mode: 0o755, uid: 0 },
    '/var': { mode: 0o755, uid: 0 },
    '/etc': { mode: 0o755, uid: 0 },
  },
  files: {
    '/etc/passwd': passwd('nobody:x:65534:65534:nobody:/:/bin/false'),
    '/etc/group': group('nogroup:x:65534:'),
  },
  links: { '/var/run': '/run' },
};

/** Both programs and their libraries in one layer, unpacked once for all images that have it. */
export const web: Layer = { programs: ['/usr/sbin/nginx', '/usr/bin/curl'], certificates: true };

export const distroless: Layer = {
  certificates: true,
  directories: { '/tmp': { mode: 0o1777, uid: 0 } },
  files: {
    '/etc/passwd': passwd('nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin'),
    '/etc/group': group('nonroot:x:65532:'),
  },
};
