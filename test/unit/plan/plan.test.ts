import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { parseInputs } from '../../../src/inputs/inputs.ts';
import { layoutOf } from '../../../src/layout.ts';
import type { Operation } from '../../../src/namespaces/operations.ts';
import type { Facts } from '../../../src/sandbox/facts.ts';
import { WORKAROUNDS } from '../../../src/plan/parts/index.ts';
import { makePlan, nodeNameFrom, type Plan, type PlanInput } from '../../../src/plan/plan.ts';
import { stockFacts } from './facts.ts';

const DEFAULTS: Readonly<Record<string, string>> = {
  version: 'v1.34.1+k3s1',
  mode: 'auto',
  sysctls: 'auto',
  timeout: '5m',
};

function planFor(
  facts: Facts,
  given: Readonly<Record<string, string>> = {},
  options: { containerdDropIns?: boolean } & Partial<
    Pick<PlanInput, 'images' | 'prepared' | 'manifests'>
  > = {},
): Plan {
  return makePlan({
    facts,
    inputs: parseInputs((name) => given[name] ?? DEFAULTS[name] ?? ''),
    layout: layoutOf('/state', '/dist', 'x64', '/node'),
    k3s: {
      binary: '/cache/k3s',
      dataDir: '/cache/unpacked',
      containerdDropIns: options.containerdDropIns ?? true,
      coredns: 'kind: ConfigMap',
    },
    images: options.images ?? [],
    prepared: options.prepared,
    manifests: options.manifests ?? [],
  });
}

const operations = (plan: Plan): Operation[] =>
  plan.launch.steps.flatMap((step) => [...step.operations]);
const applied = (plan: Plan): string[] =>
  plan.decisions.flatMap(({ id, reason }) => (reason === undefined ? [] : [id]));
const written = (plan: Plan, suffix: string): string | undefined =>
  operations(plan)
    .filter((operation) => operation[0] === 'write')
    .find(([, path]) => path.endsWith(suffix))?.[3];

describe('the plan of a stock sandbox', () => {
  const plan = planFor(stockFacts());

  it('runs everything in a user namespace with every id but the last', () => {
    expect(plan.mode).toBe('full');
    expect(plan.launch).toMatchObject({
      namespaces: ['user', 'mount', 'pid', 'network', 'uts', 'ipc'],
      idMaps: [{ inside: 0, outside: 0, count: 4_294_967_294 }],
      denySetgroups: false,
    });
  });

  it('maps the ids that every container has where not all can be mapped', () => {
    expect(planFor(stockFacts({ no: ['user-namespace-all'] })).launch.idMaps).toEqual([
      { inside: 0, outside: 0, count: 65_536 },
    ]);
  });

  it('applies what this sandbox needs and nothing else', () => {
    expect(applied(plan)).toEqual([
      'user-namespace',
      'private-root',
      'sysctl-overlay',
      'cgroup-root',
      'cgroup-v1-accepted',
      'data-tmpfs',
      'temporary-mounts',
      'local-storage-isolation',
      'unprivileged-ports',
      'open-files',
      'session-keyring',
      'pod-sysctls',
      'private-sysctls',
      'iptables-legacy',
      'machine-id',
      'gateway-network',
      'node-resolver',
      'runner-host',
      'metrics-api',
      'controller-manager-rate',
    ]);
  });

  it('warns of a container with too little memory, before that is used up', () => {
    expect(plan.warnings).toEqual([]);
    expect(planFor({ ...stockFacts(), memory: 600 * 2 ** 20 }).warnings).toEqual([
      expect.stringMatching(/^This container has 600 MiB of memory, .*signal 9.*give it more/),
    ]);
  });

  it('has what the input workarounds forces on, and not what it forces off', () => {
    const forced = planFor(stockFacts(), { workarounds: '+interceptor -sysctl-overlay' });
    expect(applied(forced)).toContain('interceptor');
    expect(applied(forced)).not.toContain('sysctl-overlay');
    expect(forced.leftOut).toEqual([expect.stringMatching(/^sysctl-overlay is left out by/)]);
    expect(forced.warnings).toEqual(forced.leftOut);
    expect(operations(forced).flat()).not.toContain('/proc/sys');
  });

  it('gives containerd prepared images in place of the tars', () => {
    const prepared = { directory: '/tools/images/1/root', snapshots: ['3'], blobs: ['abc'] };
    const all = operations(planFor(stockFacts(), {}, { images: ['/a/nginx.tar'], prepared }));
    const root = '/var/lib/rancher/k3s/agent/containerd';
    const snapshot = 'io.containerd.snapshotter.v1.overlayfs/snapshots/3';
    expect(all).toContainEqual([
      'symlink',
      `${prepared.directory}/${snapshot}`,
      `${root}/${snapshot}`,
    ]);
    expect(all.filter(([directive]) => directive === 'copy').map(([, from]) => from)).toEqual([
      `${prepared.directory}/io.containerd.metadata.v1.bolt/meta.db`,
      `${prepared.directory}/io.containerd.snapshotter.v1.overlayfs/metadata.db`,
    ]);
    expect(all.filter((operation) => operation.join(' ').includes('nginx.tar'))).toEqual([]);
    // Linux stacks two overlays at most, and the private root is one.
    const bind = all.findIndex(([name, from]) => name === 'bind' && from === prepared.directory);
    expect(bind).toBeGreaterThan(0);
    expect(all[bind]?.[3]).toBe('recursive,read-only');
    expect(bind).toBeLessThan(all.findIndex(([directive]) => directive === 'pivot'));
  });

  it('turns the bridge filter off where the kernel has one', () => {
    const facts = stockFacts();
    const sysctls = {
      ...facts.sysctls,
      'net/bridge/bridge-nf-call-iptables': { result: 'yes', evidence: '1' } as const,
    };
    const linux = planFor({ ...facts, sysctls });
    expect(applied(linux)).toContain('bridge-netfilter');
    expect(operations(linux)).toContainEqual([
      'set',
      '/proc/sys/net/bridge/bridge-nf-call-iptables',
      '0',
    ]);
  });

  it('enters the private root before anything is written outside of it', () => {
    const all = operations(plan);
    const pivot = all.findIndex(([directive]) => directive === 'pivot');
    const outside = all
      .slice(0, pivot)
      .filter(
        ([directive]) =>
          directive === 'write' || directive === 'directory' || directive === 'symlink',
      )
      .map((operation) => (operation[0] === 'symlink' ? operation[2] : operation[1]))
      .filter((path) => path?.startsWith('/state/') === false);
    expect(outside).toEqual([]);
  });

  it('has pods led to Services by their own rules where those lead to other pods', () => {
    const directOf = ({ launch }: Plan) => {
      const values = launch.steps
        .flatMap((step) => [...step.operations])
        .filter((operation) => operation[0] === 'argument' && operation[1] === 'gateway')
        .map(([, , value]) => value);
      return values[values.indexOf('--direct') + 1];
    };
    expect(directOf(plan)).toBe('on');
    expect(directOf(planFor(stockFacts({ no: ['output-dnat'] })))).toBe('off');
  });

  it('leaves itself out of a mount of the runner that it lies in', () => {
    const within = (mounts: string[]): Operation[] =>
      operations(planFor({ ...stockFacts(), mounts })).filter(([name]) => name === 'unmount');
    expect(within(['/tmp', '/state'])).toEqual([['unmount', '/state/scratch/root/state/scratch']]);
    expect(within(['/tmp', '/stat'])).toEqual([]);
  });

  it('starts the gateway and waits for it, then the controller, then k3s, then is ready', () => {
    const order = operations(plan)
      .filter(([directive]) => ['start', 'await', 'ready'].includes(directive))
      .map((operation) => operation.join(' '));
    expect(order).toEqual([
      'start gateway',
      'await gateway',
      'start controller',
      'start k3s',
      'ready',
    ]);
  });

  it('makes the missing sysctls, with the values the kubelet wants', () => {
    expect(written(plan, 'sysctl/vm/panic_on_oom')).toBe('0\n');
    expect(written(plan, 'sysctl/vm/overcommit_memory')).toBe('1\n');
    expect(written(plan, 'sysctl/kernel/keys/root_maxbytes')).toBe('25000000\n');
  });

  it('gives every process a PATH, since it inherits none', () => {
    const all = operations(plan);
    const path = all.findIndex(([directive, key]) => directive === 'environment' && key === 'PATH');
    expect(all[path]?.[2]).toContain('/usr/bin:');
    expect(path).toBeLessThan(all.findIndex(([directive]) => directive === 'start'));
  });

  it('configures k3s by files', () => {
    expect(parse(written(plan, 'k3s/config.yaml') ?? '')).toMatchObject({
      'node-name': 'runner',
      'flannel-backend': 'none',
      'disable-kube-proxy': true,
      disable: ['traefik', 'metrics-server', 'servicelb'],
      'disable-helm-controller': true,
      'node-ip': '10.42.0.1',
    });
    expect(parse(written(plan, '50-k3s-in-gvisor.conf') ?? '')).toEqual({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupRoot: expect.stringMatching(/^\/k3s-in-gvisor-[0-9a-f]{8}$/) as string,
      failCgroupV1: false,
      localStorageCapacityIsolation: false,
      makeIPTablesUtilChains: false,
      allowedUnsafeSysctls: expect.arrayContaining(['kernel.shm_rmid_forced']) as string[],
    });
    expect(written(plan, '50-k3s-in-gvisor.toml')).toContain('enable_unprivileged_ports = false');
  });

  it('gives every operation a reason', () => {
    expect(plan.launch.steps.filter(({ reason }) => reason === '')).toEqual([]);
  });
});

it('needs no user namespace where the runner is privileged', () => {
  const plan = planFor(stockFacts({ yes: ['mount', 'namespaces'] }));
  expect(plan.launch.namespaces).not.toContain('user');
  expect(plan.launch.idMaps).toEqual([]);
  expect(applied(plan)).not.toContain('user-namespace');
});

it('lets pods go unspared where no score can be lowered', () => {
  expect(applied(planFor(stockFacts({ no: ['oom-score'] })))).toContain('oom-score');
});

it('mounts a fresh cgroup v2 tree where the inherited one is read-only', () => {
  const plan = planFor(
    stockFacts({ no: ['cgroup-v1-inherited', 'cgroup-v1-mount'], yes: ['cgroup-v2-mount'] }),
  );
  expect(applied(plan)).toEqual(
    expect.arrayContaining(['cgroup-mount', 'cgroup-controllers', 'single-process-oom-kill']),
  );
  expect(applied(plan)).not.toContain('cgroup-v1-accepted');
});

it('brings the containerd template itself to a k3s that does not import drop-ins', () => {
  const plan = planFor(stockFacts(), {}, { containerdDropIns: false });
  expect(written(plan, 'config-v3.toml.tmpl')).toMatch(
    /^imports = .*\n\{\{ template "base" \. \}\}\n$/,
  );
  expect(written(planFor(stockFacts()), 'config-v3.toml.tmpl')).toBeUndefined();
});

it('falls to a node for a user who can map only one id, and says why', () => {
  const facts = stockFacts({ no: ['user-namespace', 'cgroup-v1-inherited'] });
  const plan = planFor({ ...facts, user: { uid: 1001, gid: 1001 } });
  expect(plan.mode).toBe('node');
  expect(plan.fellShort.map(({ mode }) => mode)).toEqual(['full']);
  expect(plan.fellShort[0]?.obstacles.join('\n')).toContain('run the runner container as root');
  expect(plan.launch.idMaps).toEqual([{ inside: 0, outside: 1001, count: 1 }]);
});

describe('the plan of a runner that is not root', () => {
  const user = { uid: 1001, gid: 1001 };
  const helper = '/usr/local/bin/k3s-in-gvisor-idmap';
  const alone = { ...stockFacts({ no: ['user-namespace', 'cgroup-v1-inherited'] }), user };
  const missing = (facts: Facts): string =>
    planFor(facts).fellShort.flatMap(({ obstacles }) => obstacles)[0] ?? '';

  it('is that of root, with ids that the helper maps', () => {
    const facts = stockFacts({ no: ['user-namespace'], yes: ['user-namespace-mapped'] });
    const plan = planFor({ ...facts, user, idMapper: [helper] });
    expect(plan.mode).toBe('full');
    expect(plan.launch).toMatchObject({
      namespaces: ['user', 'mount', 'pid', 'network', 'uts', 'ipc'],
      idMaps: [],
      mapper: [helper],
    });
    expect(applied(plan)).toEqual(applied(planFor(stockFacts())));
    expect(plan.decisions[0]?.reason).toContain(helper);
  });

  it('takes no help where it can do without', () => {
    const facts = stockFacts({ yes: ['user-namespace-mapped'] });
    expect(planFor({ ...facts, idMapper: [helper] }).launch.mapper).toBeUndefined();
  });

  it('names the lines of a Dockerfile where there is no helper', () => {
    expect(missing(alone)).toMatch(/^user-namespace: no .*"RUN \S+ install \S+"/);
  });

  it('names what the helper said, and the lines, where it does not work', () => {
    const probes = {
      ...alone.probes,
      'user-namespace-mapped': { result: 'no', evidence: 'this program has no capabilities' },
    } as const;
    expect(missing({ ...alone, probes, idMapper: [helper] })).toMatch(
      /^user-namespace-mapped: no \(this program has no capabilities\).*"RUN \S+ install \S+"/,
    );
  });

  it('lets pods have its one id where that is asked for, and says what that means', () => {
    const plan = planFor({ ...alone, oneIdWillDo: true });
    expect(plan.mode).toBe('full');
    expect(plan.launch.idMaps).toEqual([{ inside: 0, outside: 1001, count: 1 }]);
    expect(operations(plan)).toContainEqual(['one-id']);
    expect(plan.warnings.join('\n')).toContain('sees itself as root');
    expect(missing(alone)).toContain('id-map-helper: none');
  });

  it('needs no such answers where other ids are mapped', () => {
    const plan = planFor({ ...stockFacts(), oneIdWillDo: true });
    expect(plan.mode).toBe('full');
    expect(applied(plan)).not.toContain('one-id');
  });

  it('brings a /sys of its own where cgroups are mounted, for runc takes the runner’s', () => {
    const kinds = (facts: Facts): string[] =>
      operations(planFor(facts)).flatMap((operation) =>
        operation[2] === '/state/scratch/root/sys' ? [operation[0]] : [],
      );
    expect(kinds({ ...alone, oneIdWillDo: true })).toEqual(['mount']);
    expect(kinds(stockFacts())).toEqual(['bind']);
  });

  it('names the security context where no program gains anything', () => {
    const fileCapabilities = { result: 'no', evidence: 'no_new_privs is set' } as const;
    expect(missing({ ...alone, fileCapabilities })).toContain('allowPrivilegeEscalation: false');
    expect(missing({ ...alone, fileCapabilities })).not.toContain('"RUN ');
  });
});

it('owns the directories it writes to where only one id is mapped', () => {
  const plan = planFor(stockFacts({ no: ['user-namespace'] }));
  const all = operations(plan);
  const owned = all.findIndex(([, path]) => path === '/state/scratch/upper/var/lib');
  const overlay = all.findIndex(
    ([directive, source]) => directive === 'mount' && source === 'overlay',
  );
  expect(all[owned]?.[0]).toBe('directory');
  expect(owned).toBeLessThan(overlay);
  expect(applied(planFor(stockFacts()))).not.toContain('owned-directories');
});

it('falls to the control plane where no cgroup can be made, and says why', () => {
  const plan = planFor(stockFacts({ no: ['cgroup-v1-inherited', 'cgroup-v1-mount'] }));
  expect(plan.mode).toBe('control-plane');
  expect(plan.fellShort.map(({ mode }) => mode)).toEqual(['full', 'node']);
  expect(plan.fellShort[1]?.obstacles.join('\n')).toContain('no writable cgroup tree');
  expect(plan.k3sConfig).toMatchObject({ 'disable-agent': true });
});

describe('the plan of a bare sandbox', () => {
  const refused = [
    'user-namespace',
    'user-namespace-single',
    'tmpfs',
    'proc',
    'overlay-root',
    'overlay-proc-sys',
    'rshared',
    'pivot-root',
    'bridge',
    'veth',
    'iptables-nat',
    'cgroup-v1-mount',
  ] as const;
  const plan = planFor(stockFacts({ no: refused }));

  it('reaches node without a namespace, and says what stood in the way of full', () => {
    expect(plan).toMatchObject({ mode: 'node', isolation: 'none' });
    expect(plan.launch.namespaces).toEqual([]);
    expect(plan.fellShort.map(({ mode }) => mode)).toEqual(['full']);
    expect(plan.fellShort[0]?.obstacles).toContain(
      'without namespaces or mounts containers cannot run',
    );
  });

  it('mounts nothing', () => {
    const mounting = [
      'mount',
      'bind',
      'pivot',
      'propagation',
      'bridge',
      'link-up',
      'default-route',
    ];
    expect(operations(plan).filter(([directive]) => mounting.includes(directive))).toEqual([]);
  });

  it('runs k3s under the interceptor, with its files in the run directory', () => {
    const argv = operations(plan)
      .filter((operation) => operation[0] === 'argument' && operation[1] === 'k3s')
      .map((operation) => operation[2]);
    expect(argv).toEqual([
      '/state/interceptor',
      '--root',
      '/state/answers',
      '--',
      '/cache/k3s',
      'server',
    ]);
    expect(plan.k3sConfig).toMatchObject({
      'data-dir': '/state/k3s',
      snapshotter: 'native',
      'node-ip': '172.17.0.2',
      'kubelet-arg': ['root-dir=/state/kubelet'],
    });
    expect(plan.leftBehind).toContain('/etc/rancher');
  });

  it('falls to the control plane without seccomp and ptrace', () => {
    expect(planFor(stockFacts({ no: [...refused, 'seccomp-trace'] })).mode).toBe('control-plane');
  });

  describe('to another user than root', () => {
    const etcRancher = { result: 'no', evidence: 'permission denied' } as const;
    const user = { uid: 1001, gid: 1001 };

    it('gives a control plane where it may make /etc/rancher', () => {
      const plan = planFor({ ...stockFacts({ no: refused }), user });
      expect(plan.mode).toBe('control-plane');
      expect(applied(plan)).not.toContain('interceptor');
    });

    it('gives nothing where it may not, instead of waiting for ever, and the line that helps', () => {
      expect(() => planFor({ ...stockFacts({ no: refused }), user, etcRancher })).toThrow(
        '"RUN install -d -o 1001 /etc/rancher"',
      );
    });
  });
});

it('takes the interceptor instead of the overlay where it is asked for', () => {
  const plan = planFor(stockFacts(), { sysctls: 'ptrace' });
  expect(plan.mode).toBe('full');
  expect(applied(plan)).toContain('interceptor');
  expect(applied(plan)).not.toContain('sysctl-overlay');
});

it('refuses a mode that cannot be had instead of lowering it', () => {
  expect(() => planFor(stockFacts({ no: ['user-namespace'] }), { mode: 'full' })).toThrow(
    /Failed to find a way to run mode full here/,
  );
});

it('links images of one name from two directories side by side', () => {
  const plan = planFor(stockFacts(), {}, { images: ['/a/web.tar', '/b/web.tar'] });
  const links = operations(plan).filter(
    (operation) => operation[0] === 'bind' && operation[2].includes('/agent/images/'),
  );
  expect(links.map(([, source]) => source)).toEqual(['/a/web.tar', '/b/web.tar']);
  expect(new Set(links.map((operation) => operation[2])).size).toBe(2);
});

it.each([
  ['Runner_1', 'runner-1'],
  ['a'.repeat(70), 'a'.repeat(63)],
  ['-x-', 'x'],
  ['___', 'runner'],
])('names the node of %s %s', (hostname, name) => {
  expect(nodeNameFrom(hostname)).toBe(name);
});

it('has workarounds with distinct ids that each tell symptom, source and end', () => {
  expect(new Set(WORKAROUNDS.map(({ id }) => id)).size).toBe(WORKAROUNDS.length);
  for (const { symptom, source, removeWhen } of WORKAROUNDS) {
    expect([symptom, source, removeWhen].every((text) => text.length > 10)).toBe(true);
  }
});

describe('flags of k3s-args', () => {
  const arguments_ = (plan: Plan): string[] =>
    operations(plan).flatMap(([directive, name, value]) =>
      directive === 'argument' && name === 'k3s' ? [value] : [],
    );

  it('come after the configuration, but for those the plan has set so already', () => {
    const plan = planFor(stockFacts(), {
      'k3s-args':
        '--debug --disable-kube-proxy --kubelet-arg=v=4 --kubelet-arg=fail-cgroupv1=false --kubelet-arg=allowed-unsafe-sysctls=net.core.somaxconn',
    });
    expect(arguments_(plan)).toEqual([
      ...['/cache/k3s', 'server', '--debug', '--kubelet-arg=v=4'],
      '--kubelet-arg=allowed-unsafe-sysctls=net.core.somaxconn',
    ]);
  });

  it.each([
    [
      '--flannel-backend=vxlan',
      /line 1: --flannel-backend is none here and cannot be vxlan \(gateway-network: /,
    ],
    ['--node-ip=1.2.3.4', /--node-ip is 10\.42\.0\.1 here and cannot be 1\.2\.3\.4/],
    ['--disable-kube-proxy=false', /--disable-kube-proxy is true here and cannot be false/],
    [
      '--kubelet-arg=fail-cgroupv1',
      /--kubelet-arg=fail-cgroupv1 is false here and cannot be true \(cgroup-v1-accepted: /,
    ],
  ])('%s is refused, since the plan needs it otherwise', (k3sArgs, message) => {
    expect(() => planFor(stockFacts(), { 'k3s-args': k3sArgs })).toThrow(message);
  });

  it('change the networks and the name of all that has to do with them', () => {
    const plan = planFor(stockFacts(), {
      'k3s-args': '--cluster-cidr=10.52.0.0/16 --service-cidr=10.53.0.0/16 --node-name=n1',
    });
    expect(plan.nodeName).toBe('n1');
    expect(plan.k3sConfig).toMatchObject({
      'node-name': 'n1',
      'cluster-cidr': '10.52.0.0/16',
      'service-cidr': '10.53.0.0/16',
      'cluster-dns': '10.53.0.10',
    });
    const values = operations(plan).map(([, , value]) => value);
    expect(values).toEqual(expect.arrayContaining(['10.52.0.0/16', '10.53.0.0/16', 'n1']));
    expect(written(plan, '.conflist')).toContain('"subnet":"10.52.0.0/24"');
  });

  it('are not printed where they are secret', () => {
    const plan = planFor(stockFacts(), { 'k3s-args': '--token=hunter2 --debug' });
    const open = plan.launch.steps.filter(({ isSecret }) => isSecret !== true);
    expect(JSON.stringify(open)).not.toContain('hunter2');
    // Where nobody sees it who lists processes.
    expect(arguments_(plan)).toEqual(['/cache/k3s', 'server', '--debug']);
    expect(written(plan, 'k3s/config.yaml.d/secrets.yaml')).toBe('token: hunter2\n');
  });

  it('turn parts off', () => {
    const plan = planFor(stockFacts(), { 'k3s-args': '--disable=coredns,servicelb' });
    expect(plan.components).toEqual(['local-storage', 'metrics']);
    expect(plan.k3sConfig['disable']).toEqual(
      expect.arrayContaining(['coredns', 'traefik', 'metrics-server', 'servicelb']),
    );
  });
});

it('brings the manifests of the runner, unprinted', () => {
  const plan = planFor(stockFacts(), {}, { manifests: [{ path: 'a/x.yaml', content: 'kind: A' }] });
  expect(written(plan, '/var/lib/rancher/k3s/server/manifests/a/x.yaml')).toBe('kind: A');
  expect(plan.launch.steps.find(({ id }) => id === 'manifests')?.isSecret).toBe(true);
});

describe('the name of the runner', () => {
  const hosts = '127.0.0.1 localhost\n172.17.0.2 host.k3s-in-gvisor.internal\n';

  it('is known to the node, over the file of the runner, and to CoreDNS', () => {
    const plan = planFor(stockFacts());
    expect(written(plan, '/run/k3s-in-gvisor/hosts')).toBe(hosts);
    expect(operations(plan)).toContainEqual([
      'bind',
      '/run/k3s-in-gvisor/hosts',
      '/etc/hosts',
      '-',
    ]);
    expect(written(plan, '/etc/hosts')).toBeUndefined();
    const objects = written(plan, 'objects.json') ?? '';
    expect(objects).toContain('172.17.0.2 host.k3s-in-gvisor.internal');
    expect(objects).toContain('/apis/storage.k8s.io/v1/storageclasses/standard');
    expect(operations(plan)).toContainEqual([
      'argument',
      'controller',
      '/run/k3s-in-gvisor/objects.json',
    ]);
  });

  it('needs neither a file of the runner nor CoreDNS', () => {
    const plan = planFor({ ...stockFacts(), hosts: undefined }, { components: 'none' });
    expect(written(plan, '/etc/hosts')).toBe('172.17.0.2 host.k3s-in-gvisor.internal\n');
    expect(written(plan, 'objects.json')).toBeUndefined();
  });
});
