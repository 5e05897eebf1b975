/**
 * Pins the hashes of the k3s releases named by their tags, from the releases' own sum files, for
 * review: node scripts/releases/refresh-checksums.ts TAG... (RELEASE_MIRROR names another place to read from)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { httpGetText } from '../../src/supply/http.ts';
import { ARCHITECTURES, RELEASES, releaseFiles, releaseUrl } from '../../src/k3s/release.ts';
import type { Checksums } from '../../src/k3s/checksums.ts';
import { parseSums } from '../../src/supply/verify.ts';
import { isTag } from '../../src/k3s/version.ts';

const FILE = process.env['CHECKSUMS'] ?? join(import.meta.dirname, '../../src/k3s/checksums.json');
const BASE = process.env['RELEASE_MIRROR'] ?? RELEASES;

const tags = process.argv.slice(2);
const bad = tags.filter((tag) => !isTag(tag));
if (tags.length === 0 || bad.length > 0) {
  throw new Error(
    `Failed to read the arguments: "${bad.join(' ')}"; give tags such as v1.36.3+k3s1`,
  );
}

const pinned = JSON.parse(readFileSync(FILE, 'utf8')) as Checksums;
const found: Record<string, Readonly<Record<string, string>>> = { ...pinned };
for (const tag of tags) {
  const hashes = await Promise.all(ARCHITECTURES.map((arch) => published(tag, arch)));
  const files = Object.assign({}, ...hashes) as Record<string, string>;
  for (const [name, before] of Object.entries(pinned[tag] ?? {})) {
    if (files[name] !== before) {
      throw new Error(
        `Failed to pin ${name} of ${tag}: ${before} is pinned, the release now says ${files[name] ?? 'nothing'}; a release never changes, find out why`,
      );
    }
  }
  found[tag] = files;
}
const sorted = Object.fromEntries(Object.entries(found).sort(([a], [b]) => a.localeCompare(b)));
writeFileSync(FILE, `${JSON.stringify(sorted, undefined, 2)}\n`);

/** The files of one architecture that the action uses. */
async function published(tag: string, arch: string): Promise<Record<string, string>> {
  const { binary, airgapImages, sums } = releaseFiles(arch);
  const all = parseSums(await httpGetText(releaseUrl(BASE, tag, sums)));
  return Object.fromEntries(
    [binary, airgapImages].map((name) => {
      const sha256 = all[name];
      if (sha256 === undefined) {
        throw new Error(`Failed to pin ${name} of ${tag}: its sum file has no line for it`);
      }
      return [name, sha256];
    }),
  );
}
