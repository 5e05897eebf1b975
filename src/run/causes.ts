/** A known cause of a failure. */
export interface Cause {
  /** Its heading in docs/troubleshooting.md: the error as it is printed. */
  readonly heading: string;
  readonly cause: string;
  readonly fix: string;
  /** The line that shows it. */
  readonly evidence: string;
}

interface Known extends Omit<Cause, 'evidence'> {
  readonly pattern: RegExp;
  /** The rungs at which it can be the cause; any, where there are none. */
  readonly rungs?: readonly RegExp[];
}

const LAUNCH = /launch|k3s started|^kubeconfig written$/;
const SERVING = /^API server ready$/;
const NODE = /^node Ready$/;
const PODS = /^cluster DNS ready$|^images pulled$|^later$/;

/** The more telling first. Each has a test with a line from a real log. */
const KNOWN: readonly Known[] = [
  {
    heading: 'no space left on device',
    pattern: /no space left on device|ENOSPC/i,
    cause:
      'A file system is full: a disk of the runner, or memory, in which containerd keeps images and containers here.',
    fix: 'Free the disk of the file that the message names; where it names none, give the container more memory (about 2 GiB and what the images unpacked take), or load fewer images.',
  },
  {
    heading: 'unknown flag',
    pattern: /unknown flag|flag provided but not defined/i,
    rungs: [LAUNCH, SERVING],
    cause: 'k3s does not know a flag it was given.',
    fix: 'Look at k3s-args, and at whether this version of k3s has it.',
  },
  {
    heading: 'ended with signal 9',
    pattern: /\b(k3s|gateway|controller|init) ended with signal (9|SIGKILL)\b/,
    cause:
      'The process was killed from outside, which is most often for want of memory, else by a step of the job.',
    fix: 'Give the container more memory; look for pkill or killall in the steps.',
  },
  {
    heading: 'cannot allocate memory',
    pattern: /cannot allocate memory|out of memory|OOMKilled|ENOMEM/i,
    cause: 'The sandbox ran out of memory.',
    fix: 'Give the container more: a cluster needs about 2 GiB, and its images and containers live in memory too.',
  },
  {
    heading: 'address already in use',
    pattern: /address already in use|EADDRINUSE/i,
    cause: 'A port is taken on the runner: by another cluster, a service container or a step.',
    fix: 'End what listens there, or give k3s another port.',
  },
  {
    heading: '401 Unauthorized',
    pattern:
      /401 Unauthorized|403 Forbidden|pull access denied|insufficient_scope|authorization failed|no basic auth credentials/i,
    rungs: [PODS],
    cause: 'A registry does not give the image to whoever asks.',
    fix: 'Give its credentials with the input registries (configs.<registry>.auth), and check the name of the image.',
  },
  {
    heading: '429 Too Many Requests',
    pattern: /429 Too Many Requests|toomanyrequests/i,
    rungs: [PODS],
    cause: 'A registry gives this address no more images for now.',
    fix: 'Log in with the input registries, name a mirror there, or give the image as a tar with the input images.',
  },
  {
    heading: 'x509: certificate signed by unknown authority',
    pattern: /x509: certificate signed by unknown authority/i,
    rungs: [PODS],
    cause:
      'A registry, or a proxy before it, has a certificate of an authority the runner does not know.',
    fix: 'Name its CA file with the input registries (configs.<registry>.tls.ca_file).',
  },
  {
    heading: 'server gave HTTP response to HTTPS client',
    pattern: /server gave HTTP response to HTTPS client/,
    rungs: [PODS],
    cause: 'A registry has no TLS, and whoever pulls expects it.',
    fix: 'Name its address with http:// in the input registries (mirrors.<registry>.endpoint).',
  },
  {
    heading: 'failed to pull and unpack image',
    pattern:
      /(failed to pull|ErrImagePull|ImagePullBackOff).*(no such host|i\/o timeout|connection refused|network is unreachable|context deadline exceeded|EOF|connection reset|server misbehaving)/i,
    rungs: [PODS],
    cause: 'There is no way from this runner to the registry of an image.',
    fix: 'Give the image as a tar with the input images (airgap: true for those of k3s itself), a mirror with registries, or a proxy with HTTPS_PROXY.',
  },
  {
    heading: 'ErrImagePull',
    pattern: /ErrImagePull|ImagePullBackOff|failed to pull|Failed to pull/,
    rungs: [PODS],
    cause: 'An image could not be pulled.',
    fix: 'Check its name and tag, or give it as a tar with the input images.',
  },
  {
    heading: 'cni plugin not initialized',
    pattern: /cni plugin not initialized|cni config uninitialized|NetworkPluginNotReady/i,
    rungs: [NODE, PODS],
    cause: 'containerd has no network for pods yet, or never got one.',
    fix: 'Look at containerd.log; --flannel-backend and --cni flags of k3s-args must be left alone.',
  },
  {
    heading: 'Failed to start ContainerManager',
    pattern: /Failed to start ContainerManager/,
    rungs: [NODE],
    cause: 'The kubelet lacks something of the kernel.',
    fix: 'Please report this with facts.json and plan.json of the bundle.',
  },
  {
    heading: 'too many open files',
    pattern: /too many open files|EMFILE/i,
    cause: 'A limit on open files of the runner was reached.',
    fix: 'Raise it for the container (docker run --ulimit nofile=1048576).',
  },
];

/**
 * The known causes that `lines` show, the most telling first.
 * @param rung what was waited for
 */
export function findCauses(lines: readonly string[], rung: string): Cause[] {
  return KNOWN.flatMap(({ pattern, rungs, ...known }) => {
    if (rungs?.some((name) => name.test(rung)) === false) {
      return [];
    }
    const evidence = lines.find((line) => pattern.test(line));
    return evidence === undefined ? [] : [{ ...known, evidence: evidence.trim().slice(0, 300) }];
  });
}

export const HEADINGS: readonly string[] = KNOWN.map(({ heading }) => heading);
