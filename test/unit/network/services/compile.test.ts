import { describe, expect, test } from 'vitest';

import { compiler } from '../../../../src/network/services/compile.ts';
import { serviceOf, sliceOf } from '../../../../src/network/services/objects.ts';
import type { PodJson, ServiceJson, SliceJson } from '../../../../src/network/services/wire.ts';
import { endpoint, NODE, objects, pod, service, slice } from './objects.ts';

interface Case {
  name: string;
  services?: ServiceJson[];
  slices?: SliceJson[];
  pods?: PodJson[];
  table: Record<string, string>;
  /** `Kind/name Reason`. */
  notices?: string[];
}

const A = endpoint('10.42.0.5');
const B = endpoint('10.42.0.6');
const TERMINATING = { ready: false, serving: true, terminating: true };
const AB = '10.42.0.5:8080 10.42.0.6:8080';

const CASES: Case[] = [
  {
    name: 'a ClusterIP with several endpoints, sorted',
    services: [service()],
    slices: [slice([B, A])],
    table: { 'tcp 10.43.0.10:80': AB },
  },
  {
    name: 'UDP, and the same number for TCP and UDP',
    services: [
      service({
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      }),
    ],
    slices: [
      slice([A], {
        ports: [
          { name: 'dns', port: 1053, protocol: 'UDP' },
          { name: 'dns-tcp', port: 1054, protocol: 'TCP' },
        ],
      }),
    ],
    table: { 'udp 10.43.0.10:53': '10.42.0.5:1053', 'tcp 10.43.0.10:53': '10.42.0.5:1054' },
  },
  {
    name: 'the same port name with another protocol is another port',
    services: [service({ ports: [{ name: 'p', port: 53, protocol: 'UDP' }] })],
    slices: [slice([A], { ports: [{ name: 'p', port: 53, protocol: 'TCP' }] })],
    table: { 'udp 10.43.0.10:53': '' },
  },
  {
    name: 'no endpoints: listens, to refuse',
    services: [service()],
    slices: [slice(null, { ports: null })],
    table: { 'tcp 10.43.0.10:80': '' },
  },
  {
    name: 'headless and external names: nothing',
    services: [
      service({ name: 'headless', clusterIP: 'None' }),
      service({ name: 'elsewhere', type: 'ExternalName' }),
      service({ name: 'pending', clusterIP: '' }),
    ],
    slices: [slice([A], { of: 'headless' })],
    table: {},
  },
  {
    name: 'several slices, overlapping',
    services: [service()],
    slices: [slice([A]), slice([A, B])],
    table: { 'tcp 10.43.0.10:80': AB },
  },
  {
    name: 'a named target port that differs between pods: one slice per number',
    services: [service()],
    slices: [slice([A]), slice([B], { ports: [{ name: '', port: 9090, protocol: 'TCP' }] })],
    table: { 'tcp 10.43.0.10:80': '10.42.0.5:8080 10.42.0.6:9090' },
  },
  {
    name: 'an endpoint not ready in one slice and ready in another is ready',
    services: [service()],
    slices: [slice([endpoint('10.42.0.5', { ready: false })]), slice([A])],
    table: { 'tcp 10.43.0.10:80': '10.42.0.5:8080' },
  },
  {
    name: 'slices of other Services, of none, and without a port number',
    services: [service()],
    slices: [
      slice([A], { of: 'other' }),
      { ...slice([A]), metadata: { namespace: 'default' } },
      { ...slice([A]), metadata: { ...slice([A]).metadata, namespace: 'elsewhere' } },
      slice([A], { ports: [{ name: '', protocol: 'TCP' }] }),
    ],
    table: { 'tcp 10.43.0.10:80': '' },
  },
  {
    name: 'a Service without a selector: endpoints outside the cluster, conditions unsaid',
    services: [service()],
    slices: [slice([{ addresses: ['192.0.2.7'] }])],
    table: { 'tcp 10.43.0.10:80': '192.0.2.7:8080' },
  },
  {
    name: 'not-ready endpoints are left out',
    services: [service()],
    slices: [slice([A, endpoint('10.42.0.6', { ready: false, serving: false })])],
    table: { 'tcp 10.43.0.10:80': '10.42.0.5:8080' },
  },
  {
    name: 'terminating endpoints are left out while there is a ready one',
    services: [service()],
    slices: [slice([A, endpoint('10.42.0.6', TERMINATING)])],
    table: { 'tcp 10.43.0.10:80': '10.42.0.5:8080' },
  },
  {
    name: 'all terminating: those still serving',
    services: [service()],
    slices: [
      slice([
        endpoint('10.42.0.5', { ...TERMINATING, serving: false }),
        endpoint('10.42.0.6', TERMINATING),
        endpoint('10.42.0.7', { ready: false, serving: true }),
      ]),
    ],
    table: { 'tcp 10.43.0.10:80': '10.42.0.6:8080' },
  },
  {
    name: 'publishNotReadyAddresses: the slice says ready, also when terminating',
    services: [service()],
    slices: [slice([endpoint('10.42.0.5', { ready: true, serving: false, terminating: true })])],
    table: { 'tcp 10.43.0.10:80': '10.42.0.5:8080' },
  },
  {
    name: 'session affinity, with its default time',
    services: [
      service({
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
      }),
      service({ name: 'two', clusterIP: '10.43.0.11', sessionAffinity: 'ClientIP' }),
    ],
    slices: [slice([A])],
    table: {
      'tcp 10.43.0.10:80': 'affinity=60 10.42.0.5:8080',
      'tcp 10.43.0.11:80': 'affinity=10800',
    },
  },
  {
    name: 'a NodePort',
    services: [service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] })],
    slices: [slice([A])],
    table: { 'tcp 10.43.0.10:80': '10.42.0.5:8080', 'tcp *:30080': '10.42.0.5:8080' },
  },
  {
    name: 'a LoadBalancer, with and without its node port',
    services: [
      service({ type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30080 }] }),
      service({
        name: 'two',
        clusterIP: '10.43.0.11',
        type: 'LoadBalancer',
        ports: [{ port: 81 }],
      }),
    ],
    slices: [slice([A])],
    table: {
      'tcp 10.43.0.10:80': '10.42.0.5:8080',
      'tcp 10.44.0.86:80': '10.42.0.5:8080',
      'tcp *:80': '10.42.0.5:8080',
      'tcp *:30080': '10.42.0.5:8080',
      'tcp 10.43.0.11:81': '',
      'tcp 10.44.0.78:81': '',
      'tcp *:81': '',
    },
  },
  {
    name: 'a LoadBalancer whose port is its node port',
    services: [service({ type: 'LoadBalancer', ports: [{ port: 30080, nodePort: 30080 }] })],
    slices: [slice([A])],
    table: {
      'tcp 10.43.0.10:30080': '10.42.0.5:8080',
      'tcp 10.44.0.86:30080': '10.42.0.5:8080',
      'tcp *:30080': '10.42.0.5:8080',
    },
  },
  {
    name: "another's LoadBalancer: its announced addresses, and no port of ours",
    services: [
      service({
        type: 'LoadBalancer',
        loadBalancerClass: 'example.com/lb',
        status: {
          loadBalancer: {
            ingress: [
              { ip: '192.0.2.1', ipMode: 'VIP' },
              { ip: '192.0.2.2', ipMode: 'Proxy' },
              { hostname: 'lb.example.com' },
            ],
          },
        },
      }),
    ],
    slices: [slice([A])],
    table: { 'tcp 10.43.0.10:80': '10.42.0.5:8080', 'tcp 192.0.2.1:80': '10.42.0.5:8080' },
  },
  {
    name: 'loadBalancerSourceRanges are said not to be enforced',
    services: [service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] })],
    table: { 'tcp 10.43.0.10:80': '', 'tcp 10.44.0.86:80': '', 'tcp *:80': '' },
    notices: ['Service/web SourceRangesNotSupported'],
  },
  {
    name: 'a healthCheckNodePort is said not to be served',
    services: [service({ type: 'LoadBalancer', healthCheckNodePort: 31234 })],
    table: { 'tcp 10.43.0.10:80': '', 'tcp 10.44.0.86:80': '', 'tcp *:80': '' },
    notices: ['Service/web HealthCheckNodePortNotSupported'],
  },
  {
    name: 'external addresses',
    services: [service({ externalIPs: ['192.0.2.9', NODE.ip] })],
    slices: [slice([A])],
    table: {
      'tcp 10.43.0.10:80': '10.42.0.5:8080',
      'tcp 192.0.2.9:80': '10.42.0.5:8080',
      [`tcp ${NODE.ip}:80`]: '10.42.0.5:8080',
    },
  },
  {
    name: "a load balancer with the node's own address as an external one: all addresses once",
    services: [service({ type: 'LoadBalancer', externalIPs: [NODE.ip] })],
    slices: [slice([A])],
    table: {
      'tcp 10.43.0.10:80': '10.42.0.5:8080',
      'tcp 10.44.0.86:80': '10.42.0.5:8080',
      'tcp *:80': '10.42.0.5:8080',
    },
  },
  {
    name: "all of the node's addresses against single ones: the oldest decides, others stay",
    services: [
      service({ type: 'LoadBalancer', minute: 2 }),
      service({ name: 'own', minute: 1, clusterIP: '10.43.0.11', externalIPs: [NODE.ip] }),
    ],
    pods: [pod([{ containerPort: 1, hostPort: 80, hostIP: '127.0.0.1' }], { minute: 3 })],
    table: {
      'tcp 10.43.0.10:80': '',
      'tcp 10.44.0.86:80': '',
      'tcp 10.43.0.11:80': '',
      [`tcp ${NODE.ip}:80`]: '',
      'tcp 127.0.0.1:80': '10.42.0.9:1',
    },
    notices: ['Service/web PortConflict'],
  },
  {
    name: 'internalTrafficPolicy Local: the cluster address leads to local endpoints only',
    services: [
      service({
        type: 'NodePort',
        internalTrafficPolicy: 'Local',
        ports: [{ port: 80, nodePort: 30080 }],
      }),
    ],
    slices: [slice([A, endpoint('10.42.1.5', { nodeName: 'other' })])],
    table: {
      'tcp 10.43.0.10:80': '10.42.0.5:8080',
      'tcp *:30080': '10.42.0.5:8080 10.42.1.5:8080',
    },
  },
  {
    name: 'externalTrafficPolicy Local, terminating chosen for the node by itself',
    services: [
      service({
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        ports: [{ port: 80, nodePort: 30080 }],
      }),
    ],
    slices: [
      slice([
        endpoint('10.42.0.5', TERMINATING),
        endpoint('10.42.1.5', { nodeName: 'other' }),
        { addresses: ['192.0.2.7'] },
      ]),
    ],
    table: {
      'tcp 10.43.0.10:80': '10.42.1.5:8080 192.0.2.7:8080',
      'tcp 10.44.0.86:80': '10.42.0.5:8080',
      'tcp *:80': '10.42.0.5:8080',
      'tcp *:30080': '10.42.0.5:8080',
    },
  },
  {
    name: 'SCTP is refused, its neighbours are not',
    services: [
      service({
        ports: [
          { name: 's', port: 80, protocol: 'SCTP' },
          { name: 't', port: 80, protocol: 'TCP' },
        ],
      }),
    ],
    table: { 'tcp 10.43.0.10:80': '' },
    notices: ['Service/web SCTPNotSupported'],
  },
  {
    name: 'IPv6 and FQDN are said not to be there',
    services: [
      service({ clusterIPs: ['10.43.0.10', 'fd00::1'] }),
      service({ name: 'six', clusterIP: 'fd00::2' }),
      service({ name: 'by-name', clusterIP: '10.43.0.12' }),
      service({ name: 'six-behind', clusterIP: '10.43.0.13' }),
    ],
    slices: [
      slice([A]),
      slice([endpoint('fd00::5')], { addressType: 'IPv6' }),
      slice([endpoint('db.example.com')], { of: 'by-name', addressType: 'FQDN' }),
      slice([endpoint('fd00::5')], { of: 'six-behind', addressType: 'IPv6' }),
    ],
    table: {
      'tcp 10.43.0.10:80': '10.42.0.5:8080',
      'tcp 10.43.0.12:80': '',
      'tcp 10.43.0.13:80': '',
    },
    notices: [
      'Service/web IPv6NotSupported',
      'Service/six IPv6NotSupported',
      'Service/by-name FQDNNotSupported',
      'Service/six-behind IPv6NotSupported',
    ],
  },
  {
    name: 'host ports: any address, one address, UDP, a sidecar',
    pods: [
      pod([
        { containerPort: 8080, hostPort: 80 },
        { containerPort: 8081 },
        { containerPort: 53, hostPort: 53, protocol: 'UDP', hostIP: '0.0.0.0' },
        { containerPort: 8082, hostPort: 82, hostIP: '127.0.0.1' },
        { containerPort: 8083, hostPort: 83, hostIP: NODE.ip },
      ]),
      pod([], {
        name: 'with-sidecar',
        spec: {
          initContainers: [
            { ports: [{ containerPort: 1, hostPort: 1 }] },
            { restartPolicy: 'Always', ports: [{ containerPort: 2, hostPort: 2 }] },
          ],
        },
      }),
    ],
    table: {
      'tcp *:80': '10.42.0.9:8080',
      'udp *:53': '10.42.0.9:53',
      'tcp 127.0.0.1:82': '10.42.0.9:8082',
      [`tcp ${NODE.ip}:83`]: '10.42.0.9:8083',
      'tcp *:2': '10.42.0.9:2',
    },
  },
  {
    name: 'pods whose host ports lead nowhere, or listen by themselves',
    pods: [
      pod([{ containerPort: 80, hostPort: 80 }], {
        status: { phase: 'Succeeded', podIP: '10.42.0.9' },
      }),
      pod([{ containerPort: 80, hostPort: 80 }], {
        status: { phase: 'Failed', podIP: '10.42.0.9' },
      }),
      pod([{ containerPort: 80, hostPort: 80 }], { status: { phase: 'Pending' } }),
      pod([{ containerPort: 80, hostPort: 80 }], { spec: { hostNetwork: true } }),
    ],
    table: {},
  },
  {
    name: 'pods that may write packet filter rules, as soon as they are there',
    pods: [
      pod([], {
        name: 'mesh',
        status: { phase: 'Pending' },
        spec: { initContainers: [{ securityContext: { capabilities: { add: ['NET_ADMIN'] } } }] },
      }),
      pod([], {
        name: 'privileged',
        spec: { containers: [{ securityContext: { privileged: true } }] },
      }),
      pod([], {
        name: 'plain',
        spec: { containers: [{ securityContext: { capabilities: { add: ['NET_RAW'] } } }] },
      }),
      pod([], {
        name: 'ended',
        status: { phase: 'Succeeded' },
        spec: { containers: [{ securityContext: { privileged: true } }] },
      }),
    ],
    table: { 'own default/mesh': '', 'own default/privileged': '' },
  },
  {
    name: 'host ports that cannot be had',
    pods: [
      pod([
        { containerPort: 80, hostPort: 80, protocol: 'SCTP' },
        { containerPort: 81, hostPort: 81, hostIP: 'fd00::1' },
      ]),
    ],
    table: {},
    notices: ['Pod/pod SCTPNotSupported', 'Pod/pod IPv6NotSupported'],
  },
  {
    name: 'two load balancers on one port: an address each, and the older has the port on the node',
    services: [
      service({ name: 'young', clusterIP: '10.43.0.11', minute: 2, type: 'LoadBalancer' }),
      service({ name: 'old', minute: 1, type: 'LoadBalancer' }),
    ],
    slices: [slice([A], { of: 'old' }), slice([B], { of: 'young' })],
    table: {
      'tcp 10.43.0.10:80': '10.42.0.5:8080',
      'tcp 10.43.0.11:80': '10.42.0.6:8080',
      'tcp 10.44.0.115:80': '10.42.0.5:8080',
      'tcp 10.44.0.78:80': '10.42.0.6:8080',
      'tcp *:80': '10.42.0.5:8080',
    },
    notices: ['Service/young PortConflict'],
  },
  {
    name: 'as old as each other: the name decides, whatever the order',
    services: [
      service({ name: 'b', type: 'LoadBalancer' }),
      service({ name: 'a', clusterIP: '10.43.0.11', type: 'LoadBalancer' }),
    ],
    slices: [slice([A], { of: 'a' })],
    table: {
      'tcp 10.43.0.10:80': '',
      'tcp 10.43.0.11:80': '10.42.0.5:8080',
      'tcp 10.44.0.20:80': '',
      'tcp 10.44.0.177:80': '10.42.0.5:8080',
      'tcp *:80': '10.42.0.5:8080',
    },
    notices: ['Service/b PortConflict'],
  },
  {
    name: 'a host port against a load balancer, and one with another protocol',
    services: [service({ minute: 5, type: 'LoadBalancer' })],
    pods: [
      pod([
        { containerPort: 1, hostPort: 80 },
        { containerPort: 2, hostPort: 80, protocol: 'UDP' },
      ]),
    ],
    table: {
      'tcp 10.43.0.10:80': '',
      'tcp 10.44.0.86:80': '',
      'tcp *:80': '10.42.0.9:1',
      'udp *:80': '10.42.0.9:2',
    },
    notices: ['Service/web PortConflict'],
  },
];

describe('compiler', () => {
  test.each(CASES)('$name', ({ services = [], slices = [], pods = [], table, notices = [] }) => {
    const compiled = compiler(NODE)(objects(services, slices, pods));
    expect(Object.fromEntries(compiled.table)).toEqual(table);
    expect(
      compiled.notices.map(({ about, reason }) => `${about.kind}/${about.name} ${reason}`),
    ).toEqual(notices);
  });

  test('has node and host ports on the addresses of the nodes they are of', () => {
    const there = { name: 'there', ip: '10.42.1.1' };
    const empty = { name: 'empty', ip: '10.42.2.1' };
    const far = endpoint('10.42.1.5', { nodeName: 'there' });
    const compile = (policy: string) =>
      compiler({ ...NODE, agents: [there, empty] })(
        objects(
          [
            service({
              type: 'NodePort',
              externalTrafficPolicy: policy,
              ports: [{ port: 80, nodePort: 30080 }],
            }),
          ],
          [slice([A, far])],
          [pod([{ containerPort: 1, hostPort: 81 }], { spec: { nodeName: 'there' } })],
        ),
      );
    const all = '10.42.0.5:8080 10.42.1.5:8080';
    const always = { 'tcp 10.43.0.10:80': all, 'tcp 10.42.1.1:81': '10.42.0.9:1' };
    expect(Object.fromEntries(compile('Cluster').table)).toEqual({
      ...always,
      'tcp *:30080': all,
      'tcp 10.42.1.1:30080': all,
      'tcp 10.42.2.1:30080': all,
    });
    const local = compile('Local');
    expect(Object.fromEntries(local.table)).toEqual({
      ...always,
      'tcp 10.42.0.1:30080': '10.42.0.5:8080',
      // The runner's, which is on no node.
      'tcp 127.0.0.1:30080': all,
      'tcp 10.42.1.1:30080': '10.42.1.5:8080',
      'tcp 10.42.2.1:30080': '',
    });
    expect(local.notices).toEqual([]);
  });

  test('says who lost which port to whom', () => {
    const { notices } = compiler(NODE)(
      objects([
        service({ type: 'LoadBalancer' }),
        service({ name: 'late', minute: 1, clusterIP: '10.43.0.11', type: 'LoadBalancer' }),
      ]),
    );
    expect(notices[0]?.message).toBe(
      'Failed to listen on tcp *:80 for load balancer port 80; inside the cluster it is 10.44.0.136:80: ' +
        'Service default/web (load balancer port 80; inside the cluster it is 10.44.0.86:80) is older and has tcp *:80',
    );
  });

  test('offers as load balancers all that are ours, at addresses of their own', () => {
    const two = [
      { name: 'x', port: 80 },
      { name: 'y', port: 81 },
    ];
    const { loadBalancers } = compiler(NODE)(
      objects([
        service({ type: 'LoadBalancer' }),
        service({
          name: 'late',
          minute: 1,
          type: 'LoadBalancer',
          clusterIP: '10.43.0.2',
          ports: two,
        }),
        service({ name: 'classy', type: 'LoadBalancer', loadBalancerClass: 'a/b' }),
      ]),
    );
    expect(loadBalancers.map(({ service, keys }) => [service.ref.name, keys])).toEqual([
      ['web', ['tcp 10.44.0.86:80']],
      ['late', ['tcp 10.44.0.136:80', 'tcp 10.44.0.136:81']],
    ]);
  });

  test('remembers what did not change, and notices all that did', () => {
    const compile = compiler(NODE);
    const web = serviceOf(service());
    const before = [slice([A])].flatMap((json) => sliceOf(json) ?? []);
    const after = [slice([B])].flatMap((json) => sliceOf(json) ?? []);
    const table = (services: (typeof web)[], slices: typeof before) =>
      Object.fromEntries(compile({ services, slices, pods: [] }).table);

    expect(table([web], before)).toEqual({ 'tcp 10.43.0.10:80': '10.42.0.5:8080' });
    expect(table([web], before)).toEqual({ 'tcp 10.43.0.10:80': '10.42.0.5:8080' });
    expect(table([web], after)).toEqual({ 'tcp 10.43.0.10:80': '10.42.0.6:8080' });
    expect(table([web], [...before, ...after])).toEqual({ 'tcp 10.43.0.10:80': AB });
    expect(table([web], [])).toEqual({ 'tcp 10.43.0.10:80': '' });
    const moved = serviceOf(service({ clusterIP: '10.43.0.99' }));
    expect(table([moved], before)).toEqual({ 'tcp 10.43.0.99:80': '10.42.0.5:8080' });
    expect(table([], before)).toEqual({});
  });
});
