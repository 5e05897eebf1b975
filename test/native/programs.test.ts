import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

import { buildDir, programs, sanitized } from './build.ts';

const run = promisify(execFile);

const PROGRAMS = ['init', 'idmap', 'probe', 'gateway', 'cni', 'adapter', 'interceptor'];

/** Long enough for a few hundred thousand inputs, short enough for every test run. */
const FUZZ_SECONDS = 3;

function testPrograms(build: string, suffix: string): string[] {
  const dir = join(build, 'test');
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(suffix))
    .map((file) => join(dir, file));
}

/** The words its inputs are made of, where they are text, and inputs to begin with. */
function startOf(program: string): { dictionary: string[]; seeds: string } {
  const [directory = '', name = ''] = program.split('/').slice(-2);
  const beside = join(buildDir, '..', '..', 'native', directory, 'test', name);
  const path = `${beside}.dict`;
  return { dictionary: existsSync(path) ? [`-dict=${path}`] : [], seeds: `${beside}.seeds` };
}

/** The numbers of the checks in a TAP stream, those that failed, and the plan's. */
function readTap(output: string): { ran: number; failed: string[]; planned: number } {
  const lines = output.split('\n');
  const plan = lines.find((line) => line.startsWith('1..'));
  return {
    ran: lines.filter((line) => /^(not )?ok \d/.test(line)).length,
    failed: lines.filter((line) => line.startsWith('not ok')),
    planned: Number(plan?.slice('1..'.length)),
  };
}

describe.each([programs, sanitized])('unit tests built in %s', (build) => {
  test.each(testPrograms(build, '_test'))('%s', async (program) => {
    const { stdout } = await run(program).catch((error: unknown) => {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${stdout}${stderr}`, { cause: error });
    });

    const { ran, failed, planned } = readTap(stdout);
    expect(failed).toEqual([]);
    expect(ran).toBe(planned);
    expect(ran).toBeGreaterThan(0);
  });
});

describe('fuzz targets', () => {
  test.each(testPrograms(sanitized, '_fuzz'))('%s', async (program) => {
    const dir = await mkdtemp(join(tmpdir(), 'fuzz-'));
    const { dictionary, seeds } = startOf(program);
    try {
      const { stderr } = await run(
        program,
        [
          ...dictionary,
          `-max_total_time=${FUZZ_SECONDS}`,
          '-timeout=5',
          '-print_final_stats=1',
          // What it finds goes to the first.
          dir,
          seeds,
        ],
        // Where it leaves an input that it found.
        { cwd: dir, maxBuffer: 64 * 1024 * 1024 },
      );
      const executed = /stat::number_of_executed_units: (\d+)/.exec(stderr);
      // The relay's take milliseconds each, on a busy machine ten: the seeds, and some of its own.
      expect(Number(executed?.[1])).toBeGreaterThan(50);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

test('programs are static, hardened, and have no path of this machine in them', async () => {
  for (const name of PROGRAMS) {
    const program = join(programs, name);
    const { stdout: headers } = await run('readelf', ['--program-headers', '--dynamic', program]);
    expect(headers).not.toMatch(/INTERP|NEEDED|TEXTREL/);
    for (const mark of [/GNU_RELRO/, /BIND_NOW/, /\bPIE\b/]) expect(headers).toMatch(mark);
    const { stdout: text } = await run('strings', [program], { maxBuffer: 64 * 1024 * 1024 });
    expect(text).not.toContain(relative('/', buildDir));
  }
});

test('the same sources give the same programs elsewhere', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'native-'));
  try {
    await run('make', ['-s', '-j2', `BUILD=${dir}`, '-C', join(buildDir, '..', '..', 'native')]);
    for (const name of PROGRAMS) {
      await run('cmp', [join(programs, name), join(dir, 'linux-x64', name)]);
    }
  } finally {
    await rm(dir, { recursive: true });
  }
});
