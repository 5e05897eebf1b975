import { lookup } from 'node:dns/promises';
import { access, constants, readFile, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname, networkInterfaces, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { errorMessage } from '../errors.ts';
import { run } from '../exec.ts';
import type { Layout } from '../layout.ts';
import type { Answer, Facts, Proxy } from './facts.ts';
import { findIdMapper, NO_ID_MAPPER } from './id-mapper.ts';
import {
  parseFileCapabilities,
  parseMounts,
  parseProbes,
  parseResolver,
  proxyUrl,
} from './parse.ts';

const API_SERVER_PORT = 6443;

export interface Questions {
  /** Paths below /proc/sys that the plan will ask about. */
  readonly sysctls: readonly string[];
  /** The input id-map-helper; undefined to look for one. */
  readonly idMapHelper: string | undefined;
}

/** Finds the facts by attempting, side by side; nothing is left behind. */
export async function gatherFacts(
  layout: Layout,
  questions: Questions,
  signal?: AbortSignal,
): Promise<Facts> {
  const user = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
  const oneIdWillDo = questions.idMapHelper === NO_ID_MAPPER;
  const idMapper = oneIdWillDo
    ? []
    : await findIdMapper({
        uid: user.uid,
        given: questions.idMapHelper,
        path: process.env['PATH'] ?? '',
        shipped: join(layout.native, 'idmap'),
      });
  const [probed, mounts, resolver, hosts, proxy, apiServerPort, machineId, status, etcRancher] =
    await Promise.all([
      probe(layout, questions.sysctls, idMapper, signal),
      findMounts(),
      readResolver(),
      readIfThere('/etc/hosts', "the runner's hosts"),
      proxies(process.env),
      freePort(API_SERVER_PORT),
      readAnswer('/etc/machine-id'),
      readFile('/proc/self/status', 'utf8'),
      findWritable('/etc/rancher/node'),
    ]);
  return {
    ...probed,
    user,
    hostname: hostname(),
    memory: totalmem(),
    mounts,
    networks: Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .flatMap(({ family, internal, cidr }) =>
        family === 'IPv4' && !internal && cidr !== null ? [cidr] : [],
      ),
    resolver,
    hosts,
    proxy,
    apiServerPort,
    machineId,
    idMapper,
    oneIdWillDo,
    fileCapabilities: parseFileCapabilities(status),
    etcRancher,
  };
}

async function probe(
  layout: Layout,
  sysctls: readonly string[],
  idMapper: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReturnType<typeof parseProbes>> {
  const output = await run(
    [
      ...[join(layout.native, 'probe'), '--scratch', layout.state],
      ...idMapper.flatMap((argument) => ['--mapper', argument]),
      ...sysctls.flatMap((path) => ['--sysctl', path]),
    ],
    { signal },
  );
  return parseProbes(output);
}

/** A runner without the file has no name servers. */
async function readResolver(): Promise<Facts['resolver']> {
  return parseResolver((await readIfThere('/etc/resolv.conf', "the runner's name servers")) ?? '');
}

async function readIfThere(path: string, what: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw new Error(`Failed to read ${what}: ${errorMessage(error)}`, { cause: error });
  });
}

async function findMounts(): Promise<string[]> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  const workspace = process.env['GITHUB_WORKSPACE'];
  return parseMounts(mountinfo, workspace && (await realpath(workspace).catch(() => undefined)));
}

/** `preferred` if it can be listened on at 127.0.0.1, else a port that can. */
async function freePort(preferred: number): Promise<number> {
  return (await tryListen(preferred)) ?? (await tryListen(0)) ?? preferred;
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : undefined);
      });
    });
  });
}

/** Either spelling counts, the first one first, as in Go and curl. */
async function proxies(environment: NodeJS.ProcessEnv): Promise<Proxy> {
  const read = (name: string): string => environment[name] || environment[name.toLowerCase()] || '';
  const [http, https] = [read('HTTP_PROXY'), read('HTTPS_PROXY')];
  return { http, https, no: read('NO_PROXY'), address: await addressOf(https || http) };
}

/** The runner's proxy may be known to its /etc/hosts or resolvers only: its name is asked for once. */
async function addressOf(proxy: string): Promise<string> {
  const host = proxyUrl(proxy)?.hostname ?? '';
  if (host === '') {
    return '';
  }
  return lookup(host, { family: 4 }).then(
    ({ address }) => address,
    () => '',
  );
}

async function readAnswer(path: string): Promise<Answer> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    return text === '' ? { result: 'no', evidence: 'empty' } : { result: 'yes', evidence: text };
  } catch (error) {
    return { result: 'no', evidence: errorMessage(error) };
  }
}

/** Whether `path` is, or can be made, a directory in which files can be made. */
async function findWritable(path: string): Promise<Answer> {
  try {
    await access(path, constants.W_OK | constants.X_OK);
    return { result: 'yes', evidence: path };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return findWritable(dirname(path));
    }
    return { result: 'no', evidence: errorMessage(error) };
  }
}
