import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { compiler, type Objects } from '../../../../src/network/services/compile.ts';
import { endpoint, NODE, objects, pod, service, slice } from './objects.ts';

/** Few addresses, names and ports, so that they meet. */
const endpoints = fc.array(
  fc.record({
    host: fc.integer({ min: 2, max: 6 }),
    nodeName: fc.constantFrom(NODE.name, 'other'),
    ready: fc.boolean(),
    serving: fc.boolean(),
    terminating: fc.boolean(),
  }),
  { maxLength: 6 },
);
const names = fc.constantFrom('a', 'b', 'c', 'd');
const generated = fc.record({
  services: fc.uniqueArray(
    fc.record({
      name: names,
      minute: fc.integer({ min: 0, max: 3 }),
      type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'),
      port: fc.integer({ min: 80, max: 82 }),
      protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
      externalTrafficPolicy: fc.constantFrom('Cluster', 'Local'),
      internalTrafficPolicy: fc.constantFrom('Cluster', 'Local'),
      sessionAffinity: fc.constantFrom('None', 'ClientIP'),
    }),
    { selector: ({ name }) => name },
  ),
  slices: fc.array(fc.record({ of: names, endpoints })),
  pods: fc.uniqueArray(
    fc.record({
      name: names,
      minute: fc.integer({ min: 0, max: 3 }),
      hostPort: fc.integer({ min: 80, max: 82 }),
    }),
    { selector: ({ name }) => name },
  ),
});

type Generated = typeof generated extends fc.Arbitrary<infer T> ? T : never;

describe('the compiled table', () => {
  test('reaches every endpoint the upstream rules choose, and no other', () => {
    check((made, objects) => {
      const { table } = compiler(NODE)(objects);
      for (const { name, port, protocol, internalTrafficPolicy } of made.services) {
        const value = table.get(`${protocol.toLowerCase()} ${clusterIP(name)}:${port}`);
        if (protocol === 'SCTP') {
          expect(value).toBeUndefined();
          continue;
        }
        expect(endpointsIn(value)).toEqual(
          expected(made, name, protocol, internalTrafficPolicy === 'Local'),
        );
      }
    });
  });

  test('gives each port of the node to the oldest that asks for it', () => {
    check((made, objects) => {
      const { table, owners } = compiler(NODE)(objects);
      for (const port of [80, 81, 82]) {
        const claimants = [
          ...made.services
            .filter((s) => s.type === 'LoadBalancer' && s.protocol === 'TCP' && s.port === port)
            .map(({ name, minute }) => ({ kind: 'Service', name, minute })),
          ...made.pods
            .filter(({ hostPort }) => hostPort === port)
            .map(({ name, minute }) => ({ kind: 'Pod', name, minute })),
        ].sort((a, b) => a.minute - b.minute || (order(a) < order(b) ? -1 : 1));
        const owner = owners.get(`tcp *:${port}`);
        expect(table.has(`tcp *:${port}`)).toBe(claimants.length > 0);
        expect(owner && [owner.kind, owner.name]).toEqual(
          claimants[0] && [claimants[0].kind, claimants[0].name],
        );
      }
    });
  });

  test('does not depend on the order in which objects arrived, nor on what was compiled before', () => {
    const compile = compiler(NODE);
    check((_, { services, slices, pods }) => {
      const forward = compile({ services, slices, pods });
      const backward = compiler(NODE)({
        services: [...services].reverse(),
        slices: [...slices].reverse(),
        pods: [...pods].reverse(),
      });
      expect(Object.fromEntries(backward.table)).toEqual(Object.fromEntries(forward.table));
      expect(Object.fromEntries(backward.owners)).toEqual(Object.fromEntries(forward.owners));
      expect(new Set(backward.notices.map(({ message }) => message))).toEqual(
        new Set(forward.notices.map(({ message }) => message)),
      );
    });
  });
});

function check(property: (made: Generated, objects: Objects) => void): void {
  fc.assert(
    fc.property(generated, (made) => {
      property(made, objectsOf(made));
    }),
    { numRuns: 300 },
  );
}

function objectsOf({ services, slices, pods }: Generated): Objects {
  return objects(
    services.map(({ port, protocol, ...fields }) =>
      service({ ...fields, clusterIP: clusterIP(fields.name), ports: [{ port, protocol }] }),
    ),
    slices.map(({ of, endpoints }) =>
      slice(
        endpoints.map(({ host, ...conditions }) => endpoint(`10.42.0.${host}`, conditions)),
        {
          of,
          ports: ['TCP', 'UDP', 'SCTP'].map((protocol) => ({ name: '', port: 8080, protocol })),
        },
      ),
    ),
    pods.map(({ hostPort, ...fields }) => pod([{ containerPort: 8080, hostPort }], fields)),
  );
}

/** The rules once more, from the documentation of the API instead of from the code. */
function expected({ slices }: Generated, name: string, protocol: string, local: boolean) {
  const all = slices
    .filter(({ of }) => of === name)
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ nodeName }) => !local || nodeName === NODE.name);
  const usable = all.some(({ ready }) => ready)
    ? all.filter(({ ready }) => ready)
    : all.filter(({ serving, terminating }) => serving && terminating);
  expect(protocol).not.toBe('SCTP');
  return new Set(usable.map(({ host }) => `10.42.0.${host}:8080`));
}

function endpointsIn(value: string | undefined): Set<string> | undefined {
  return value === undefined
    ? undefined
    : new Set(value.split(' ').filter((word) => word && !word.startsWith('affinity=')));
}

function clusterIP(name: string): string {
  return `10.43.0.${name.charCodeAt(0)}`;
}

function order({ kind, name }: { kind: string; name: string }): string {
  return `${kind} default/${name}`;
}
