/** Writes the table of docs/runners.md: the mode that doctor finds in each kind of runner and sandbox. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

import { RUNNER, WITH_HELPER, WITH_SUDO } from '../testbed/runner-image.ts';
import { startSandbox, type SandboxOptions } from '../testbed/sandbox.ts';
import { renderTable, type Finding } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENT = join(ROOT, 'docs/runners.md');
const [BEGIN, END] = ['<!-- matrix: make matrix -->', '<!-- end of matrix -->'];

const RUNNERS: Readonly<Record<string, SandboxOptions>> = {
  root: {},
  'root, `--privileged`': { profile: 'privileged' },
  'user 1001 with the helper': WITH_HELPER,
  'user 1001, sudo and `--allow-suid`': WITH_SUDO,
  'user 1001 alone': { user: RUNNER },
  'user 1001, "restricted"': { ...WITH_HELPER, profile: 'restricted' },
  'root, `--oci-seccomp`': { profile: 'bare' },
  'user 1001, `--oci-seccomp`': { profile: 'bare', user: RUNNER },
};

const SANDBOXES: Readonly<Record<string, SandboxOptions>> = {
  'September 2026': {},
  'cgroup v2': { cgroup: 'v2' },
  'platform ptrace': { flags: ['--platform=ptrace'] },
  '`--overlay2=none`': { flags: ['--overlay2=none'] },
  'February 2026': { runsc: '2026-02' },
};

async function find(runner: SandboxOptions, place: SandboxOptions): Promise<Finding> {
  await using sandbox = await startSandbox({
    ...runner,
    ...place,
    flags: [...(runner.flags ?? []), ...(place.flags ?? [])],
    mounts: [ofRoot('dist'), ofRoot('package.json'), ofRoot('action.yml')],
  });
  const doctor = ['node', '/opt/action/dist/cli/index.js', 'doctor', '--json'];
  const { stdout, stderr } = await sandbox.exec(doctor);
  if (stdout === '') throw new Error(`Failed to run doctor: ${stderr}`);
  return JSON.parse(stdout) as Finding;
}

function ofRoot(name: string): { source: string; destination: string; readonly: boolean } {
  return { source: join(ROOT, name), destination: `/opt/action/${name}`, readonly: true };
}

const findings = new Map<string, Finding>();
for (const [runner, of] of Object.entries(RUNNERS)) {
  for (const [place, options] of Object.entries(SANDBOXES)) {
    const finding = await find(of, options);
    findings.set(`${runner}\0${place}`, finding);
    console.error(`${finding.mode ?? 'nothing'}: ${runner}, ${place}`);
  }
}
const table = renderTable(
  Object.keys(RUNNERS),
  Object.keys(SANDBOXES),
  (runner, place) => findings.get(`${runner}\0${place}`) ?? { fellShort: [] },
);
const text = await readFile(DOCUMENT, 'utf8');
const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
if (before === -1 || after < before) throw new Error(`Failed to find ${BEGIN} in ${DOCUMENT}`);
const changed = `${text.slice(0, before)}${BEGIN}\n\n${table}\n\n${text.slice(after)}`;
await writeFile(
  DOCUMENT,
  await format(changed, { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT }),
);
