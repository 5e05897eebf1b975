import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IMAGES_PATH, K3S_PATH, startClusterSandbox } from '../testbed/cluster.ts';
import type { Sandbox } from '../testbed/sandbox.ts';
import { follow } from './support/follow.ts';
import { ACTION, Job, ROOT } from './support/job.ts';

/** In place of the gateway in dist/, one that was built otherwise: `make sanitize`. */
const GATEWAY = process.env['GATEWAY'];

/** Where a request begins: in a workflow's step, in the node's own namespaces, or in a pod. */
type Place = 'step' | 'node' | 'client' | 'host';

/** For what the cluster does in its own time, on a machine that runs other tests as well. */
const PATIENCE = { timeout: 120_000, interval: 200 };
const LOCAL = '127.0.0.1';
const EXTERNAL = '198.51.100.7';
/** Where the world outside answers datagrams with themselves. */
const ECHO = 7;

/** What curl ends with where nobody listens. */
const REFUSED = 'curl 7';
/** And where somebody hangs up on it: while it asks, before it has asked, or before it knows that it is in. */
const RESET = /^curl (7|52|55|56)$/;

/** By both ways to a Service: pods' own rules, and the relay where those lead nowhere. */
describe.each([
  { profile: 'stock', runsc: 'current', direct: true },
  { profile: 'stock', runsc: '2026-02', direct: false },
] as const)('in profile $profile, runsc $runsc', ({ profile, runsc, direct }) => {
  let sandbox: Sandbox;
  let job: Job;
  /** The command that enters the node's namespaces. */
  let enterNode: readonly string[];
  let node: { name: string; address: string };
  /** Names of the pods behind the Service `web`, and their addresses. */
  let web: { names: readonly string[]; addresses: readonly string[] };

  const kubectl = (...args: string[]): Promise<string> => job.must(['kubectl', ...args]);
  const wait = (what: string, condition: string): Promise<string> =>
    kubectl('wait', what, `--for=${condition}`, '--timeout=180s');
  const field = (what: string, path: string): Promise<string> =>
    kubectl('get', ...what.split(' '), `--output=jsonpath={${path}}`);
  const apply = (...items: object[]): Promise<string> => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    return job.must(['sh', '-c', 'printf %s "$1" | kubectl apply --filename=-', 'sh', list]);
  };

  const at = (place: Place, argv: readonly string[]): readonly string[] => {
    if (place === 'step') return argv;
    if (place === 'node') return [...enterNode, ...argv];
    return ['kubectl', 'exec', place, '--', ...argv];
  };
  /** What the URL answers, or curl's exit code. */
  const get = async (place: Place, url: string, ...options: string[]): Promise<string> => {
    const curl = ['curl', '--silent', '--show-error', '--max-time', '20', ...options, url];
    const script = '"$@"; code=$?; [ $code = 0 ] || echo "curl $code"';
    return (await job.must(at(place, ['sh', '-c', script, 'sh', ...curl]))).trim();
  };
  /** The names of the pods that answered requests: so many that chance leaves out none of two. */
  const answering = async (place: Place, host: string): Promise<string[]> => {
    const curl = `curl --silent --show-error --max-time 20 http://${host}/hostname; echo`;
    const script = `for i in $(seq 24); do ${curl}; done | sort -u`;
    return (await job.must(at(place, ['sh', '-c', script]))).trim().split('\n');
  };
  /** The datagram that comes back; empty when none does. */
  const datagram = (place: Place, host: string, port: number): Promise<string> => {
    const script =
      'exec 3<>"/dev/udp/$1/$2"; printf hostname >&3; timeout 20 dd bs=1500 count=1 <&3 2>/dev/null';
    return job.must(at(place, ['bash', '-c', script, 'bash', host, String(port)]));
  };
  /** The message of the Event with this reason. */
  const event = async (about: string, reason: string): Promise<string> => {
    const selector = `--field-selector=involvedObject.name=${about},reason=${reason}`;
    const messages = (): Promise<string> =>
      kubectl('get', 'events', selector, '--output=jsonpath={.items[*].message}');
    await expect.poll(messages, PATIENCE).not.toBe('');
    return messages();
  };

  beforeAll(async () => {
    sandbox = await startClusterSandbox({ profile, runsc, images: ['agnhost'] });
    job = await Job.create(sandbox);
    if (GATEWAY) await sandbox.copyIn(GATEWAY, `${ACTION}/dist/native/linux-x64`);
    await job.mustMain({
      inputs: { 'k3s-path': K3S_PATH, images: `${IMAGES_PATH}/*.tar`, mode: 'full' },
    });
    const k3s = await job.must(['pgrep', '--exact', '--full', '\\S+/k3s server.*']);
    enterNode = ['nsenter', '--target', k3s.trim(), '--all', '--'];
    await makeCertificate();
    await sandbox.copyIn(join(ROOT, 'test/e2e/manifests'), '/tmp/manifests');
    await kubectl('apply', '--filename=/tmp/manifests/network.yaml');
    await wait('deployment/web', 'condition=Available');
    for (const pod of ['client', 'host']) await wait(`pod/${pod}`, 'condition=Ready');
    // "reassociate to namespace 'ns/user' failed: Invalid argument": runsc of February 2026 lets nobody
    // enter a user namespace. A pod on the node's network is in the same place then.
    if ((await job.exec([...enterNode, 'true'])).code !== 0) {
      enterNode = ['kubectl', 'exec', 'host', '--'];
    }
    const list = async (what: string, path: string): Promise<string[]> =>
      (await field(what, `range .items[*]}{${path}}{"\\n"}{end`)).trim().split('\n').sort();
    node = {
      name: (await list('nodes', '.metadata.name')).join(),
      address: (await list('nodes', '.status.addresses[0].address')).join(),
    };
    web = {
      names: await list('pods --selector=app=web', '.metadata.name'),
      addresses: await list('pods --selector=app=web', '.status.podIP'),
    };
  });
  afterAll(() => sandbox.stop());

  /** For the servers that the API server calls. */
  async function makeCertificate(): Promise<void> {
    const names = ['webhook', 'extension'].map((name) => `DNS:${name}.default.svc`).join();
    await job.must(
      [
        ...['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'],
        ...['-subj', '/CN=test', '-addext', `subjectAltName=${names}`],
        ...['-keyout', 'tls.key', '-out', 'tls.crt'],
      ],
      { cwd: '/tmp' },
    );
    await kubectl('create', 'secret', 'tls', 'tls', '--cert=/tmp/tls.crt', '--key=/tmp/tls.key');
  }

  describe('a Service', () => {
    test('is reached by its name from a pod, over TCP and UDP, and spreads what comes', async () => {
      for (const place of ['client', 'host'] as const) {
        expect(await answering(place, 'web')).toEqual(web.names);
        expect(web.names).toContain(await datagram(place, 'web', 81));
      }
    });

    test('is reached by its address from the node', async () => {
      const address = await field('service/web', '.spec.clusterIP');
      expect(await answering('node', address)).toEqual(web.names);
      expect(web.names).toContain(await datagram('node', address, 81));
    });

    test('is reached by the pod behind it', async () => {
      expect(await get('client', 'http://self/hostname')).toBe('client');
      expect(await datagram('client', 'self', 81)).toBe('client');
    });

    test('shows its pods who calls, where nothing is between them', async () => {
      const callers = { client: await field('pod/client', '.status.podIP'), node: node.address };
      const address = await field('service/web', '.spec.clusterIP');
      for (const place of ['client', 'node'] as const) {
        const caller = await get(place, `http://${address}/clientip`);
        expect(caller.split(':')[0]).toBe(direct ? callers[place] : node.address);
      }
    });

    test('refuses while nobody listens behind it, where nothing is between', async () => {
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'late', labels: { app: 'late' } },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'registry.k8s.io/e2e-test-images/agnhost:2.56',
              command: ['sh', '-c', 'until [ -e /tmp/go ]; do sleep 0.2; done; /agnhost netexec'],
            },
          ],
          terminationGracePeriodSeconds: 1,
        },
      });
      await apply(
        service('late', { selector: { app: 'late' }, ports: [{ port: 80, targetPort: 8080 }] }),
      );
      await wait('pod/late', 'condition=Ready');
      const ready = (): Promise<string> =>
        field(
          'endpointslice --selector=kubernetes.io/service-name=late',
          '.items[*].endpoints[*].conditions.ready',
        );
      await expect.poll(ready, PATIENCE).toBe('true');
      // What is told after it is in force after it.
      await apply(
        service('after-it', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] }),
      );
      await expect
        .poll(
          async () => web.names.includes(await get('client', 'http://after-it/hostname')),
          PATIENCE,
        )
        .toBe(true);
      const address = await field('service/late', '.spec.clusterIP');
      for (const place of ['client', 'node'] as const) {
        const answer = await get(place, `http://${address}/hostname`);
        if (direct) expect(answer).toBe(REFUSED);
        else expect(answer).toMatch(RESET);
      }
      await kubectl('exec', 'late', '--', 'touch', '/tmp/go');
      for (const place of ['client', 'node'] as const) {
        await expect.poll(() => get(place, `http://${address}/hostname`), PATIENCE).toBe('late');
      }
      await kubectl('delete', 'pod,service', 'late', '--wait=false');
    });

    test('has the same port for TCP and UDP', async () => {
      expect(web.names).toContain(await get('client', 'http://dual:53/hostname'));
      expect(web.names).toContain(await datagram('client', 'dual', 53));
    });

    test('without an address is a name for its pods', async () => {
      const name = 'headless.default.svc.cluster.local';
      const found = await job.must(at('client', ['dig', '+short', name]));
      expect(found.trim().split('\n').sort()).toEqual(web.addresses);
      expect(await answering('client', 'headless:8080')).toEqual(web.names);
    });

    test('of type ExternalName is a name for what is outside', async () => {
      expect(await get('client', 'http://elsewhere/there')).toContain('"path":"/there"');
    });

    test('is reached by its external address', async () => {
      for (const place of ['client', 'node'] as const) {
        expect(await answering(place, EXTERNAL)).toEqual(web.names);
        expect(web.names).toContain(await datagram(place, EXTERNAL, 80));
      }
    });

    test('with session affinity leads a client to one pod', async () => {
      const address = await field('service/sticky', '.spec.clusterIP');
      expect(await answering('client', address)).toHaveLength(1);
      expect(await answering('step', `${LOCAL}:30081`)).toHaveLength(1);
    });

    test('leads to pods that are not ready only where it says so', async () => {
      await wait('pod/starting', 'jsonpath={.status.phase}=Running');
      await expect
        .poll(() => get('client', 'http://not-ready/hostname'), PATIENCE)
        .toBe('starting');
      expect(await get('client', 'http://starting/hostname')).toBe(REFUSED);
    });

    test('leads to a pod that is ending while there is no other', async () => {
      await wait('pod/leaving', 'condition=Ready');
      await kubectl('delete', 'pod', 'leaving', '--wait=false');
      await kubectl(
        ...['wait', 'endpointslice', '--selector=kubernetes.io/service-name=leaving'],
        ...['--for=jsonpath={.endpoints[0].conditions.terminating}=true', '--timeout=60s'],
      );
      expect(await get('client', 'http://leaving/hostname')).toBe('leaving');
      await get('client', 'http://leaving/exit');
      await expect.poll(() => get('client', 'http://leaving/hostname'), PATIENCE).toBe(REFUSED);
    });

    test('without a selector leads where its slices say, pods and outside, all of them', async () => {
      const [first = '', second = ''] = web.addresses;
      await apply(
        service('manual', { ports: [{ port: 80 }] }),
        slice('manual', 1, [{ addresses: [first] }]),
        slice('manual', 2, [{ addresses: [second] }]),
        service('legacy', { ports: [{ port: 80 }] }),
        slice('legacy', 1, [{ addresses: [sandbox.addresses.host] }], 80),
      );
      await expect.poll(() => answering('client', 'manual'), PATIENCE).toEqual(web.names);
      expect(await get('client', 'http://legacy/there')).toContain('"path":"/there"');
    });

    test('keeps to the pods of the node where its traffic policies say so', async () => {
      const [here = '', there = ''] = web.addresses;
      const endpoints = [
        { addresses: [here], nodeName: node.name },
        { addresses: [there], nodeName: 'another' },
      ];
      const local = { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' };
      await apply(
        service('local', { type: 'NodePort', ...local, ports: [{ port: 80, nodePort: 30082 }] }),
        slice('local', 1, endpoints),
        service('remote', { type: 'NodePort', ...local, ports: [{ port: 80, nodePort: 30083 }] }),
        slice('remote', 1, endpoints.slice(1)),
      );
      await expect.poll(() => get('step', `http://${LOCAL}:30082/clientip`), PATIENCE).toMatch(/./);
      expect(await answering('client', 'local')).toHaveLength(1);
      expect(await answering('step', `${LOCAL}:30082`)).toHaveLength(1);
      expect(await get('client', 'http://remote/hostname')).toBe(REFUSED);
      expect(await get('step', `http://${LOCAL}:30083/hostname`)).toBe(REFUSED);
    });

    test('that asks for what a load balancer outside would do gets Events', async () => {
      expect(await event('ingress', 'SourceRangesNotSupported')).toContain('192.0.2.0/24');
      const port = await field('service/ingress', '.spec.healthCheckNodePort');
      expect(await event('ingress', 'HealthCheckNodePortNotSupported')).toContain(port);
    });

    test('that asks for SCTP gets an Event, and its other ports', async () => {
      expect(await event('sctp', 'SCTPNotSupported')).toContain('port 9 is not forwarded');
      expect(web.names).toContain(await get('client', 'http://sctp/hostname'));
    });
  });

  describe("from the runner's steps", () => {
    test('a node port is on 127.0.0.1, over TCP and UDP; for the cluster on the node', async () => {
      for (const [place, address] of [
        ['step', LOCAL],
        ['node', LOCAL],
        ['node', node.address],
        ['client', node.address],
      ] as const) {
        expect(await answering(place, `${address}:30080`)).toEqual(web.names);
        expect(web.names).toContain(await datagram(place, address, 30080));
      }
    });

    test('a load balancer says its address, and is on 127.0.0.1', async () => {
      const address = await field('service/balanced', '.status.loadBalancer.ingress[0].ip');
      expect(address).toMatch(/^10\.44\.0\.\d+$/);
      for (const place of ['client', 'host', 'node'] as const) {
        expect(await answering(place, `${address}:8000`)).toEqual(web.names);
      }
      expect(await answering('step', `${LOCAL}:8000`)).toEqual(web.names);
      expect(await answering('client', `${node.address}:8000`)).toEqual(web.names);
    });

    test('a host port is on 127.0.0.1; for the cluster on the node', async () => {
      for (const [place, address] of [
        ['step', LOCAL],
        ['node', LOCAL],
        ['node', node.address],
        ['client', node.address],
      ] as const) {
        expect(await get(place, `http://${address}:30090/hostname`)).toBe('client');
        expect(await datagram(place, address, 30090)).toBe('client');
      }
    });

    test('a host port of 127.0.0.1 is there, and not for the cluster', async () => {
      for (const place of ['step', 'node'] as const) {
        expect(await get(place, `http://${LOCAL}:30091/hostname`)).toBe('client');
        expect(await datagram(place, LOCAL, 30091)).toBe('client');
      }
      expect(await get('client', `http://${node.address}:30091/hostname`)).toBe(REFUSED);
    });

    test('an Ingress controller is reached by the port it balances', async () => {
      await wait('pod/ingress', 'condition=Ready');
      const shop = ['--header', 'Host: shop.example'];
      const ask = (...options: string[]): Promise<string> =>
        get('step', `http://${LOCAL}/hostname`, ...options);
      await expect
        .poll(() => ask(...shop).then((name) => web.names.includes(name)), PATIENCE)
        .toBe(true);
      expect(await ask('--output', '/dev/null', '--write-out', '%{http_code}')).toBe('404');
    });
  });

  describe('a pod', () => {
    test('reaches the API server by its Service', async () => {
      const secrets = '/var/run/secrets/kubernetes.io/serviceaccount';
      const script = `curl --silent --show-error --cacert ${secrets}/ca.crt --header "Authorization: Bearer $(cat ${secrets}/token)" https://kubernetes.default.svc/version`;
      expect(await job.must(at('client', ['sh', '-c', script]))).toContain('"gitVersion"');
    });

    test('reaches what listens on the node', async () => {
      expect(await get('client', `http://${node.address}:8090/hostname`)).toBe(node.name);
      expect(await datagram('client', node.address, 8091)).toBe(node.name);
    });

    test('reaches the outside, by name, over TCP and UDP', async () => {
      expect(await get('client', 'http://outside.test/from-a-pod')).toContain('/from-a-pod');
      expect(await datagram('client', 'outside.test', ECHO)).toBe('hostname');
      expect(await get('node', 'http://outside.test/from-the-node')).toContain('/from-the-node');
    });
  });

  describe('the API server', () => {
    test('calls an admission webhook behind a Service', async () => {
      await wait('pod/webhook', 'condition=Ready');
      const caBundle = await job.must(['base64', '--wrap=0', '/tmp/tls.crt']);
      await apply({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'deny' },
        webhooks: [
          {
            name: 'deny.test.example',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            clientConfig: {
              service: { name: 'webhook', namespace: 'default', path: '/always-deny' },
              caBundle,
            },
            rules: [
              {
                apiGroups: [''],
                apiVersions: ['v1'],
                operations: ['CREATE'],
                resources: ['secrets'],
              },
            ],
          },
        ],
      });
      const create = async (): Promise<string> =>
        (await job.exec(['kubectl', 'create', 'secret', 'generic', 'denied', '--dry-run=server']))
          .stderr;
      await expect
        .poll(create, PATIENCE)
        .toContain('admission webhook "deny.test.example" denied the request');
      await kubectl('delete', 'validatingwebhookconfiguration', 'deny');
    });

    test('passes requests on to an aggregated API behind a Service', async () => {
      await wait('pod/extension', 'condition=Ready');
      const caBundle = await job.must(['base64', '--wrap=0', '/tmp/tls.crt']);
      await apply({
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.extension.example' },
        spec: {
          group: 'extension.example',
          version: 'v1',
          groupPriorityMinimum: 100,
          versionPriority: 100,
          service: { name: 'extension', namespace: 'default' },
          caBundle,
        },
      });
      await wait('apiservice/v1.extension.example', 'condition=Available');
      expect(await kubectl('get', '--raw', '/apis/extension.example/v1/things')).toContain(
        '"groupVersion":"extension.example/v1"',
      );
      await kubectl('delete', 'apiservice', 'v1.extension.example');
    });
  });

  describe('a port that is taken', () => {
    test('by another load balancer becomes an Event, which names the address inside', async () => {
      const type = 'LoadBalancer';
      await apply(
        service('second', {
          type,
          selector: { app: 'web' },
          ports: [{ port: 8000, targetPort: 8080 }],
        }),
      );
      expect(await event('second', 'PortConflict')).toMatch(
        /^Failed to listen on tcp \*:8000 for load balancer port 8000; inside the cluster it is 10\.44\.0\.\d+:8000: Service default\/balanced /,
      );
      const address = await field('service/second', '.status.loadBalancer.ingress[0].ip');
      await expect.poll(() => answering('client', `${address}:8000`), PATIENCE).toEqual(web.names);
      expect(await answering('step', `${LOCAL}:8000`)).toEqual(web.names);
    });

    test('by a process of the runner becomes an Event, and is served once it is free', async () => {
      const program =
        'require("net").createServer().listen(30084, "127.0.0.1", () => console.log("ready"))';
      const ports = [{ port: 80, targetPort: 8080, nodePort: 30084 }];
      {
        await using taken = follow(job, ['node', '--eval', program]);
        await taken.next(/^ready$/);
        await apply(service('taken', { type: 'NodePort', selector: { app: 'web' }, ports }));
        // The end is the C library's: musl's, or glibc's when the gateway is a sanitized one.
        expect(await event('taken', 'FrontendRefused')).toMatch(
          /^Failed to listen on 127\.0\.0\.1:30084 of the runner: Address (already )?in use$/,
        );
        expect(await answering('client', `${node.address}:30084`)).toEqual(web.names);
      }
      await expect
        .poll(() => get('step', `http://${LOCAL}:30084/echo?msg=served`), PATIENCE)
        .toBe('served');
    });
  });

  describe('after its death', () => {
    const pidOf = async (process: string): Promise<string> =>
      (await job.must(['pgrep', '--full', '--newest', process])).trim();

    test('the controller begins anew, and connections go on', async () => {
      await using held = follow(job, at('client', ['bash', '-c', HOLD]));
      await held.next(/^before$/);
      await job.must(['kill', '-KILL', await pidOf('/controller/index.js')]);
      const ready = async (): Promise<string> => get('node', 'http://127.0.0.1:10240/readyz');
      await expect.poll(ready, PATIENCE).toBe('ok');
      await apply(
        service('later', { selector: { app: 'client' }, ports: [{ port: 80, targetPort: 8080 }] }),
      );
      await expect.poll(() => get('client', 'http://later/hostname'), PATIENCE).toBe('client');
      await job.must(at('client', ['touch', '/tmp/go']));
      await held.next(/^after$/);
    });

    test('the gateway has its whole table again', async () => {
      await job.must(['kill', '-KILL', await pidOf('/gateway --control')]);
      await expect
        .poll(() => get('step', `http://${LOCAL}:30080/echo?msg=again`), PATIENCE)
        .toBe('again');
      expect(await answering('client', 'web')).toEqual(web.names);
      expect(web.names).toContain(await datagram('client', 'web', 81));
      expect(await get('client', 'http://outside.test/again')).toContain('"path":"/again"');
    });

    test('the gateway has nothing to report of itself', async () => {
      const log = await job.must(['cat', `${job.outputs['logs'] ?? ''}/gateway.log`]);
      expect(log.match(/gateway: Ready/g)).toHaveLength(2);
      expect(log).not.toMatch(/Sanitizer|runtime error/);
    });
  });
});

function service(name: string, spec: object): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}

function slice(of: string, number: number, endpoints: object[], port = 8080): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${of}-${number}`, labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    ports: [{ port }],
    endpoints,
  };
}

/** Asks twice on one connection to the Service: at once, and when /tmp/go is there. */
const HOLD = `
exec 3<>/dev/tcp/web/80
ask() {
  printf 'GET /echo?msg=%s%%0A HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n' "$1" >&3
  while IFS= read -r line <&3; do [ "$line" != "$1" ] || { echo "$1"; return; }; done
  exit 1
}
ask before
until [ -e /tmp/go ]; do sleep 0.1; done
ask after
`;
