import { globSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { cached } from '../cache.ts';
import { command } from '../command.ts';

const packages = [
  ...['bash', 'bind9-dnsutils', 'busybox-static', 'ca-certificates', 'curl', 'iperf', 'iproute2'],
  ...['jq', 'libc-bin', 'netcat-openbsd', 'nginx', 'redis-server'],
];

/** Versions that image tags claim. */
export const versions = { nginx: '1.22.1', curl: '7.88.1' };

/** A directory with Debian packages and what they depend on unpacked, not installed. */
export function pool(): Promise<string> {
  const inputs = [...packages, JSON.stringify(versions), process.arch];
  return cached('image-packages', inputs, async (path) => {
    const include = `--include=${packages.join(',')}`;
    await command(['mmdebstrap', '--variant=extract', include, 'bookworm', path]);
    for (const [name, version] of Object.entries(versions)) {
      // Unpacked packages are in no dpkg database, but each brings its changelog.
      const changelog = await readFile(join(path, 'usr/share/doc', name, 'changelog.Debian.gz'));
      const [newest = ''] = gunzipSync(changelog).toString().split('\n');
      if (!newest.startsWith(`${name} (${version}-`)) {
        throw new Error(`Failed to tag the ${name} image ${version}: Debian has ${newest}`);
      }
    }
  });
}

/** Copies programs of the pool, with every library they need, to the same paths below `target`. */
export async function copyPrograms(
  from: string,
  programs: readonly string[],
  target: string,
): Promise<void> {
  const [loader = ''] = globSync('{lib,lib64}/ld-linux-*.so.*', { cwd: from });
  const needed = new Set<string>();
  for (const program of programs) {
    needed.add(program);
    if (await isStatic(join(from, program))) continue;
    const list = await command(['chroot', from, `/${loader}`, '--list', program]);
    for (const [path] of list.matchAll(/\/\S+(?= \()/g)) needed.add(path);
  }
  for (const path of needed) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await command(['cp', '--dereference', '--preserve=mode', `${from}${path}`, `${target}${path}`]);
  }
}

/** Whether an ELF file names no interpreter. */
async function isStatic(file: string): Promise<boolean> {
  const segments = await command(['readelf', '--program-headers', '--wide', file]);
  return !segments.includes('INTERP');
}

/** The certificates that ca-certificates' installation joins into one file. */
export async function certificates(from: string): Promise<string> {
  const files = globSync('usr/share/ca-certificates/mozilla/*.crt', { cwd: from }).sort();
  return (await Promise.all(files.map((file) => readFile(join(from, file), 'utf8')))).join('');
}
