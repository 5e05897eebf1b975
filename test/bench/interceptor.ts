/**
 * What the interceptor costs, natively and in gVisor: calls it does not handle, opens it lets pass,
 * opens it answers, and the same with PTRACE_SYSCALL, which stops at every call.
 *
 *   node test/bench/interceptor.ts
 *
 * Needs the native programs and their tests (`make -C native all tests`).
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { programs } from '../native/build.ts';
import { startSandbox } from '../testbed/sandbox.ts';
import { alternate, type Figure } from './figure.ts';

const ROUNDS = 7;

/** A file that is there, and one that only the tree of answers has. */
const REAL = '/etc/hostname';
const ANSWERED = '/etc/interceptor-bench';

interface Place {
  name: string;
  /** Directory of the programs there, and the tree of answers. */
  bin: string;
  tree: string;
  /** Runs a command there and returns what it printed. */
  run: (argv: readonly string[]) => Promise<string>;
  /** How often each thing is done per measurement. */
  count: { calls: number; opens: number; everyCall: number };
}

async function measurePlace({ name, bin, tree, run, count }: Place): Promise<Figure[]> {
  const load = join(bin, 'test', 'interceptor', 'load_bench');
  const under = (...options: string[]) => [
    ...[join(bin, 'interceptor'), '--root', tree, ...options, '--', load],
  ];
  const time = (wrapped: readonly string[], kind: string, times: number, ...path: string[]) => {
    return async () => Number(await run([...wrapped, kind, String(times), ...path]));
  };
  const { calls, opens, everyCall } = count;
  const label = (figure: string) => `interceptor.${figure}.${name}`;
  const compare = (against: string, measures: Record<string, () => Promise<number>>) =>
    alternate(measures, { rounds: ROUNDS, unit: 'ns', against });
  return [
    // Blocks of 64 KiB, as dd and cp move them, and the worst case: calls that do nothing at all.
    ...(await compare(label('none'), {
      [label('none')]: time([load], 'work', calls),
      [label('untouched')]: time(under(), 'work', calls),
    })),
    ...(await compare(label('none-null'), {
      [label('none-null')]: time([load], 'null', calls),
      // What a tracer costs that does nothing, in place of ours.
      [label('traced-null')]: time([load], 'traced', calls),
      [label('untouched-null')]: time(under(), 'null', calls),
      [label('ptrace-syscall-null')]: time(under('--mode', 'syscall'), 'null', everyCall),
    })),
    ...(await compare(label('none-open'), {
      [label('none-open')]: time([load], 'open', opens, REAL),
      [label('passed-open')]: time(under(), 'open', opens, REAL),
      [label('redirected-open')]: time(under(), 'open', opens, ANSWERED),
      [label('ptrace-syscall-open')]: time(under('--mode', 'syscall'), 'open', everyCall, REAL),
    })),
  ];
}

async function measureNatively(tree: string): Promise<Figure[]> {
  const execute = promisify(execFile);
  return measurePlace({
    ...{ name: 'native', bin: programs, tree },
    run: async ([file = '', ...args]) => (await execute(file, args)).stdout,
    count: { calls: 200_000, opens: 20_000, everyCall: 5_000 },
  });
}

async function measureInGvisor(tree: string): Promise<Figure[]> {
  await using sandbox = await startSandbox({
    profile: 'stock',
    mounts: [
      { source: programs, destination: '/native', readonly: true },
      { source: tree, destination: '/given', readonly: true },
    ],
  });
  // On the sandbox's own file system, as the action's tree is.
  await sandbox.exec(['cp', '-r', '/given', '/tree']);
  return await measurePlace({
    ...{ name: 'gvisor', bin: '/native', tree: '/tree' },
    run: async (argv) => {
      const { code, stdout, stderr } = await sandbox.exec(argv);
      if (code !== 0) throw new Error(`Failed to run ${argv.join(' ')}: ${stderr}`);
      return stdout;
    },
    count: { calls: 20_000, opens: 2_000, everyCall: 500 },
  });
}

export async function measureInterceptor(): Promise<Figure[]> {
  const tree = await mkdtemp(join(tmpdir(), 'interceptor-bench-'));
  try {
    await mkdir(join(tree, 'etc'));
    await writeFile(join(tree, ANSWERED), 'answered\n');
    return [...(await measureNatively(tree)), ...(await measureInGvisor(tree))];
  } finally {
    await rm(tree, { recursive: true });
  }
}

if (import.meta.main) console.table(await measureInterceptor());
