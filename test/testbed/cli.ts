import { parseArgs } from 'node:util';
import { resolve } from 'node:path';

import { findSandbox, removeLeftovers, startSandbox } from './sandbox.ts';
import type { BindMount } from './spec.ts';
import { inUse, records } from './state.ts';
import { addressesOf } from './network.ts';

const usage = `usage:
  sandbox start --name NAME [--profile stock|privileged|bare|native] [--cgroup v1|v2]
                [--runsc current|2026-02] [--user UID:GID] [--mount SRC:DST[:ro]]... [--env K=V]...
  sandbox exec NAME [--env K=V]... [--cwd DIR] [--stdin] -- COMMAND...
  sandbox copy-in NAME SOURCE DIRECTORY
  sandbox copy-out NAME DIRECTORY TARGET
  sandbox stop NAME...
  sandbox list`;

const profiles = ['stock', 'privileged', 'bare', 'native'] as const;

class UsageError extends Error {}

const commands: Record<string, (args: string[]) => Promise<number>> = {
  start: async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        name: { type: 'string' },
        profile: { type: 'string' },
        cgroup: { type: 'string' },
        runsc: { type: 'string' },
        user: { type: 'string' },
        mount: { type: 'string', multiple: true, default: [] },
        env: { type: 'string', multiple: true, default: [] },
      },
    });
    if (!values.name) throw new UsageError('start: --name is missing');
    const sandbox = await startSandbox({
      name: values.name,
      profile: oneOf('--profile', values.profile ?? 'stock', profiles),
      cgroup: oneOf('--cgroup', values.cgroup ?? 'v1', ['v1', 'v2']),
      runsc: oneOf('--runsc', values.runsc ?? 'current', ['current', '2026-02']),
      user: parseUser(values.user ?? '0:0'),
      mounts: values.mount.map(parseMount),
      env: parseEnv(values.env),
      keep: true,
    });
    console.log(`${sandbox.name}: ${sandbox.addresses.sandbox}, host ${sandbox.addresses.host}`);
    return 0;
  },

  exec: async (args) => {
    const split = args.indexOf('--');
    if (split === -1 || split === args.length - 1) throw new UsageError('exec: -- COMMAND missing');
    const { values, positionals } = parseArgs({
      args: args.slice(0, split),
      allowPositionals: true,
      options: {
        env: { type: 'string', multiple: true, default: [] },
        cwd: { type: 'string' },
        stdin: { type: 'boolean', default: false },
      },
    });
    const [name = ''] = exactly(positionals, 1, 'exec: NAME');
    const abort = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        abort.abort();
      });
    }
    const sandbox = await findSandbox(name);
    const { code } = await sandbox.exec(args.slice(split + 1), {
      env: parseEnv(values.env),
      ...(values.cwd ? { cwd: values.cwd } : {}),
      ...(values.stdin ? { stdin: 0 } : {}),
      onOutput: (chunk, stream) => process[stream].write(chunk),
      signal: abort.signal,
    });
    return code;
  },

  'copy-in': async (args) => {
    const [name = '', source = '', directory = ''] = exactly(
      args,
      3,
      'copy-in: NAME SOURCE DIRECTORY',
    );
    await (await findSandbox(name)).copyIn(source, directory);
    return 0;
  },

  'copy-out': async (args) => {
    const [name = '', directory = '', target = ''] = exactly(
      args,
      3,
      'copy-out: NAME DIRECTORY TARGET',
    );
    await (await findSandbox(name)).copyOut(directory, target);
    return 0;
  },

  stop: async (args) => {
    if (args.length === 0) throw new UsageError('stop: NAME is missing');
    for (const name of args) await (await findSandbox(name)).stop();
    return 0;
  },

  list: async () => {
    await removeLeftovers();
    for (const record of (await records()).filter(inUse)) {
      const { sandbox } = addressesOf(record.index);
      console.log(
        [record.name, record.profile, sandbox, record.main?.pid ?? 'starting'].join('\t'),
      );
    }
    return 0;
  },
};

function exactly(args: string[], count: number, what: string): string[] {
  if (args.length !== count) throw new UsageError(`${what}: got ${args.length} arguments`);
  return args;
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) {
    throw new UsageError(`${option} ${value}: must be one of ${allowed.join(', ')}`);
  }
  return value as T;
}

function parseUser(text: string) {
  const match = /^(\d+):(\d+)$/.exec(text);
  if (!match) throw new UsageError(`--user ${text}: must be UID:GID in numbers`);
  return { uid: Number(match[1]), gid: Number(match[2]) };
}

function parseMount(text: string): BindMount {
  const [source, destination, mode, ...rest] = text.split(':');
  if (
    !source ||
    !destination?.startsWith('/') ||
    rest.length ||
    !['ro', undefined].includes(mode)
  ) {
    throw new UsageError(`--mount ${text}: must be SRC:DST or SRC:DST:ro with an absolute DST`);
  }
  return { source: resolve(source), destination, readonly: mode === 'ro' };
}

function parseEnv(entries: string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1) throw new UsageError(`--env ${entry}: must be NAME=VALUE`);
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

const [verb = '', ...args] = process.argv.slice(2);
try {
  const run = commands[verb];
  if (!run) throw new UsageError(`unknown command "${verb}"`);
  process.exitCode = await run(args);
} catch (error) {
  console.error((error as Error).message);
  if (error instanceof UsageError) console.error(usage);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
