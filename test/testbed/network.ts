import { existsSync } from 'node:fs';

import { command } from './command.ts';
import { idOf } from './state.ts';

export interface Addresses {
  /** The sandbox's own address, without prefix length (/30). */
  sandbox: string;
  /** The host's end: gateway, and where test servers listen. */
  host: string;
}

export function addressesOf(index: number): Addresses {
  const base = ((198 << 24) | (18 << 16)) + index * 4;
  const dotted = (n: number) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.');
  return { host: dotted(base + 1), sandbox: dotted(base + 2) };
}

export const netnsPath = (id: string) => `/run/netns/${id}`;

/**
 * A network namespace with `eth0`, joined to the host by a veth pair. The host does not forward:
 * from inside, only the host's end answers.
 */
export async function createNetwork(index: number): Promise<void> {
  const id = idOf({ index });
  const { host, sandbox } = addressesOf(index);
  await command(['ip', 'netns', 'add', id]);
  await command([
    ...['ip', 'link', 'add', id, 'type', 'veth'],
    ...['peer', 'name', 'eth0', 'netns', id],
  ]);
  await command(['ip', 'address', 'add', `${host}/30`, 'dev', id]);
  await command(['ip', 'link', 'set', id, 'up']);
  const batch = [
    'link set lo up',
    `address add ${sandbox}/30 dev eth0`,
    'link set eth0 up',
    `route add default via ${host} dev eth0`,
  ];
  await command(['ip', '-netns', id, '-batch', '-'], { input: batch.join('\n') });
}

export async function removeNetwork(index: number): Promise<void> {
  const id = idOf({ index });
  // The veth pair would go with the namespace, but only once its last process is gone.
  if (existsSync(`/sys/class/net/${id}`)) await command(['ip', 'link', 'delete', id]);
  if (existsSync(netnsPath(id))) await command(['ip', 'netns', 'delete', id]);
}
