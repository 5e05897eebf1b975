import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildKey, readSources, translationUnits } from '../../../src/interceptor/sources.ts';

const SOURCES = {
  'interceptor/main.c': '#include "lib/io.h"\n#include "options.h"\n#include <stdio.h>\n',
  'interceptor/options.c': '#include "options.h"\n',
  'interceptor/options.h': '',
  'interceptor/handlers/kmsg.c': '',
  'lib/io.c': '#include "lib/io.h"\n#include "lib/strings.h"\n',
  'lib/io.h': '#include "lib/cleanup.h"\n',
  'lib/cleanup.h': '#include "lib/descriptor.h"\n',
  'lib/descriptor.c': '',
  'lib/descriptor.h': '',
  'lib/strings.c': '',
  'lib/strings.h': '',
  'lib/netlink.c': '#include "lib/netlink.h"\n',
  'lib/netlink.h': '',
};

describe('translationUnits', () => {
  it('takes all of the interceptor and what it includes of the library, directly or not', () => {
    expect(translationUnits(SOURCES)).toEqual([
      'interceptor/handlers/kmsg.c',
      'interceptor/main.c',
      'interceptor/options.c',
      'lib/descriptor.c',
      'lib/io.c',
      'lib/strings.c',
    ]);
  });
});

describe('buildKey', () => {
  const key = buildKey(SOURCES, ['-O2'], 'cc 12', 'x64');

  it.each([
    ['a source', buildKey({ ...SOURCES, 'lib/io.h': ' ' }, ['-O2'], 'cc 12', 'x64')],
    ['a flag', buildKey(SOURCES, ['-O1'], 'cc 12', 'x64')],
    ['the compiler', buildKey(SOURCES, ['-O2'], 'cc 13', 'x64')],
    ['the architecture', buildKey(SOURCES, ['-O2'], 'cc 12', 'arm64')],
  ])('depends on %s', (_, other) => {
    expect(other).not.toBe(key);
  });

  it('depends on nothing else', () => {
    const reversed = Object.fromEntries(Object.entries(SOURCES).reverse());
    expect(buildKey(reversed, ['-O2'], 'cc 12', 'x64')).toBe(key);
  });
});

describe('readSources', () => {
  it('finds every source of the program and none of its tests', async () => {
    const native = join(import.meta.dirname, '../../../native');
    const files = await readdir(join(native, 'interceptor'), { recursive: true });
    const own = files.filter((file) => /\.[ch]$/.test(file) && !file.startsWith('test/'));

    const found = Object.keys(await readSources(native));

    expect(found.filter((name) => name.startsWith('interceptor/'))).toEqual(
      own.map((file) => `interceptor/${file}`).sort(),
    );
  });
});
