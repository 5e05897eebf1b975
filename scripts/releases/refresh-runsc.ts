/**
 * Pins the newest gVisor release in test/testbed/releases.json, both architectures, from the release's
 * own sum files, for review. The release is asked for its name: "latest" is no address to pin.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { httpGetText } from '../../src/supply/http.ts';
import { command } from '../../test/testbed/command.ts';
import { GVISOR, released } from '../../test/testbed/releases.ts';

const FILE =
  process.env['RELEASES_FILE'] ?? join(import.meta.dirname, '../../test/testbed/releases.json');
const SHA512 = /^[0-9a-f]{128}$/;

process.env['RELEASES'] = 'official';
process.env['RUNSC_RELEASE'] = 'latest';
const said = await command([(await released('runsc')) ?? '', '--version']);
const date = /release-(\d{8}\.\d+)/.exec(said)?.[1];
if (date === undefined) throw new Error(`Failed to read the release's name in "${said}"`);

const pins = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, string>;
const base = process.env['RELEASE_SITE'] ?? GVISOR;
for (const architecture of ['x86_64', 'aarch64']) {
  const path = `/${date}/${architecture}/runsc`;
  const [sum = ''] = (await httpGetText(`${base}${path}.sha512`)).split(/\s/);
  if (!SHA512.test(sum)) throw new Error(`Failed to pin ${path}: its sum file says "${sum}"`);
  const before = pins[path];
  if (before !== undefined && before !== sum) {
    throw new Error(`Failed to pin ${path}: ${before} is pinned, the release now says ${sum}`);
  }
  pins[path] = sum;
}
const sorted = Object.fromEntries(Object.entries(pins).sort(([a], [b]) => a.localeCompare(b)));
writeFileSync(FILE, `${JSON.stringify(sorted, undefined, 2)}\n`);
