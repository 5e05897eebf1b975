import { NATIVE_PROBES, type Answer, type ProbeName, type Resolver } from './facts.ts';

/** What the private root makes anew. */
const SYSTEM_MOUNTS = ['/', '/proc', '/sys', '/dev', '/run', '/etc/resolv.conf'];

/**
 * Reads what native/probe printed: `NAME \t yes|no|crashed \t EVIDENCE` a line, sysctls as `sysctl:PATH`.
 * @throws if a line is not of that form, or a probe that was asked for did not answer.
 */
export function parseProbes(output: string): {
  probes: Record<ProbeName, Answer>;
  sysctls: Record<string, Answer>;
} {
  const answers = new Map<string, Answer>();
  for (const line of output.split('\n').filter((text) => text !== '')) {
    const [name, result, ...evidence] = line.split('\t');
    if (name === undefined || (result !== 'yes' && result !== 'no' && result !== 'crashed')) {
      throw new Error(
        `Failed to read the probe's answer "${line}": expected NAME, yes|no|crashed, EVIDENCE`,
      );
    }
    answers.set(name, { result, evidence: evidence.join(' ') });
  }
  const probes = Object.fromEntries(
    NATIVE_PROBES.map((name) => {
      const answer = answers.get(name);
      if (answer === undefined) {
        throw new Error(`Failed to read the probe's answers: ${name} is missing`);
      }
      return [name, answer];
    }),
  ) as Record<ProbeName, Answer>;
  const sysctls = Object.fromEntries(
    [...answers].flatMap(([name, answer]) =>
      name.startsWith('sysctl:') ? [[name.slice('sysctl:'.length), answer]] : [],
    ),
  );
  return { probes, sysctls };
}

/**
 * The mount points of /proc/self/mountinfo (proc_pid_mountinfo(5)) that carry the runner's own files.
 * Those below another come with it when it is bound recursively.
 * @param workspace counts as one: what a pod writes to it by hostPath is the job's own file
 */
export function parseMounts(mountinfo: string, workspace?: string): string[] {
  const points = mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
    .map(unescapeOctal);
  const below = (point: string, parent: string): boolean =>
    point === parent || (parent !== '/' && point.startsWith(`${parent}/`));
  if (workspace !== undefined) {
    points.push(workspace);
  }
  const own = [...new Set(points)].filter(
    (point) =>
      !SYSTEM_MOUNTS.some((system) => below(point, system)) &&
      // In gVisor's /proc/mounts a blank is no \\040, and the kubelet ends of a line with seven fields.
      !/\s/.test(point),
  );
  return own.filter((point) => !own.some((other) => other !== point && below(point, other))).sort();
}

/** CAP_SETGID, CAP_SETUID and CAP_SETFCAP of linux/capability.h, which native/idmap takes. */
const IDMAP_CAPABILITIES = { SETGID: 6n, SETUID: 7n, SETFCAP: 31n };

/**
 * Whether a program gains the capabilities of its file, from /proc/self/status (proc_pid_status(5)):
 * not with no_new_privs, and none that the bounding set is without.
 */
export function parseFileCapabilities(status: string): Answer {
  const field = (name: string): string =>
    new RegExp(`^${name}:\\s*(\\w+)$`, 'm').exec(status)?.[1] ?? '0';
  if (field('NoNewPrivs') === '1') {
    return { result: 'no', evidence: 'no_new_privs is set' };
  }
  const bounding = BigInt(`0x${field('CapBnd')}`);
  const missing = Object.entries(IDMAP_CAPABILITIES).filter(
    ([, bit]) => ((bounding >> bit) & 1n) === 0n,
  );
  return missing.length === 0
    ? { result: 'yes', evidence: `bounding set ${field('CapBnd')}` }
    : {
        result: 'no',
        evidence: `the bounding set is without ${missing.map(([name]) => name).join(', ')}`,
      };
}

/** mountinfo writes space, tab, newline and backslash as \040, \011, \012, \134. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** /etc/resolv.conf; IPv6 name servers are left out, the gateway speaks IPv4. */
export function parseResolver(resolvConf: string): Resolver {
  const lines = resolvConf
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line));
  const isNameserver = (line: string): boolean => /^nameserver\s/.test(line);
  return {
    nameservers: lines
      .filter(isNameserver)
      .map((line) => line.split(/\s+/)[1] ?? '')
      .filter((address) => /^\d+\.\d+\.\d+\.\d+$/.test(address)),
    otherLines: lines.filter((line) => !isNameserver(line)),
  };
}

/** As Go and curl read the variables: `host:port` is a proxy that is spoken to in plain HTTP. */
export function proxyUrl(text: string): URL | undefined {
  return URL.parse(text.includes('://') ? text : `http://${text}`) ?? undefined;
}
