/**
 * What workflows ask about releases:
 *
 *   node scripts/releases/cli.ts matrix    the pinned k3s to test, as JSON
 *   node scripts/releases/cli.ts default   fails unless action.yml's default is pinned
 *   node scripts/releases/cli.ts newest    the tags to pin: the default, and the newest of each minor
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

import { CHECKSUMS } from '../../src/k3s/checksums.ts';
import { CHANNEL_SERVER, chooseRelease, parseChannels } from '../../src/k3s/channels.ts';
import { parseVersion } from '../../src/k3s/version.ts';
import { httpGetText } from '../../src/supply/http.ts';
import { assertDefaultIsPinned, pinnedOfEachMinor, SUPPORTED_MINORS } from './pins.ts';

const action = parse(readFileSync(join(import.meta.dirname, '../../action.yml'), 'utf8')) as {
  inputs: { version: { default: string } };
};
const standard = action.inputs.version.default;

const commands: Readonly<Record<string, () => string | Promise<string>>> = {
  matrix: () => JSON.stringify(pinnedOfEachMinor(CHECKSUMS, SUPPORTED_MINORS)),
  default: () => {
    assertDefaultIsPinned(CHECKSUMS, standard);
    return `${standard} is pinned`;
  },
  newest: async () => {
    const server = process.env['CHANNEL_SERVER'] ?? CHANNEL_SERVER;
    const channels = parseChannels(await httpGetText(server));
    const tags = SUPPORTED_MINORS.map((minor) => {
      const tag = chooseRelease(parseVersion(`v${minor}`), channels);
      if (tag === undefined) throw new Error(`Failed to find a k3s ${minor}: ${server} has none`);
      return tag;
    });
    return [...new Set([standard, ...tags])].join(' ');
  },
};

const [name = ''] = process.argv.slice(2);
const run = commands[name];
if (run === undefined) {
  throw new Error(`Failed to run "${name}"; there are ${Object.keys(commands).join(', ')}`);
}
console.log(await run());
