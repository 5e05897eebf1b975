import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { IDMAP, RUNNER, SHIPPED_IDMAP, WITH_HELPER } from '../testbed/runner-image.ts';
import { startSandbox, type SandboxOptions } from '../testbed/sandbox.ts';
import { ROOT } from './support/job.ts';

async function doctor(options: SandboxOptions): Promise<{ code: number; stdout: string }> {
  await using sandbox = await startSandbox({
    ...options,
    mounts: ['dist', 'package.json', 'action.yml'].map((name) => ({
      source: join(ROOT, name),
      destination: `/opt/action/${name}`,
      readonly: true,
    })),
  });
  const { code, stdout } = await sandbox.exec(['node', '/opt/action/dist/cli/index.js', 'doctor']);
  return { code, stdout };
}

/** The helper as `COPY` brings it, without the line that gives it its capabilities. */
const COPIED = {
  user: RUNNER,
  build: (root) => copyFile(SHIPPED_IDMAP, join(root, IDMAP)),
} satisfies SandboxOptions;

const CASES: readonly [
  runner: string,
  options: SandboxOptions,
  line: RegExp,
  cured: SandboxOptions,
][] = [
  ['the official image as it is', { user: RUNNER }, /"RUN \S+ install \S+"/, WITH_HELPER],
  ['the same, the other way', { user: RUNNER }, /docker run --user root, or runAsUser: 0/, {}],
  [
    'a helper that was only copied',
    COPIED,
    /no capabilities here; run "idmap install PATH" as root/,
    WITH_HELPER,
  ],
  [
    'a restricted security context',
    { ...WITH_HELPER, profile: 'restricted' },
    /take "allowPrivilegeEscalation: false" and "capabilities: drop" out/,
    WITH_HELPER,
  ],
  [
    'root without capabilities',
    { profile: 'restricted' },
    /give the container the capabilities SETUID and SETGID/,
    {},
  ],
  [
    'a seccomp profile in force, as root',
    { profile: 'bare' },
    /run runsc without --oci-seccomp/,
    {},
  ],
  [
    'a seccomp profile in force, not as root',
    { ...WITH_HELPER, profile: 'bare' },
    /run runsc without --oci-seccomp/,
    WITH_HELPER,
  ],
];

describe('doctor', () => {
  test('says that there is too little memory', async () => {
    const { code, stdout } = await doctor({ memory: 2 ** 30 });
    expect(stdout).toMatch(
      /^Mode full can run here: pods run\.\n\nThis container has 1024 MiB of memory, /,
    );
    expect(code).toBe(0);
  });

  test.each(CASES)(
    'names the line for %s, and the line cures it',
    async (_, options, line, cured) => {
      const before = await doctor(options);
      expect(before.code, before.stdout).not.toBe(0);
      expect(before.stdout).toMatch(line);
      const after = await doctor(cured);
      expect(after.stdout).toMatch(/^Mode full can run here: pods run\.$/m);
      expect(after.code).toBe(0);
    },
  );
});
