/**
 * Adds and deletes pods' interfaces by the node's CNI plugin, in fresh network namespaces, and prints
 * how many ms each ADD took. Runs in the node's namespaces. usage: cni-add.ts COUNT
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

interface Configuration {
  cniVersion: string;
  name: string;
  plugins: object[];
}

const { cniVersion, name, plugins } = JSON.parse(
  readFileSync('/etc/cni/net.d/10-gvisor-bridge.conflist', 'utf8'),
) as Configuration;
const input = JSON.stringify({ cniVersion, name, ...plugins[0] });

function call(command: 'ADD' | 'DEL', id: string, netns: string): number {
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: id,
    CNI_NETNS: netns,
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
  };
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync('/opt/cni/bin/gvisor-bridge', [], { input, env });
  if (status !== 0)
    throw new Error(`Failed to ${command} ${id}: ${stdout.toString()}${stderr.toString()}`);
  return performance.now() - begin;
}

const own = readlinkSync('/proc/self/ns/net');
const times: number[] = [];
for (let index = 0; index < Number(process.argv[2]); index++) {
  const holder = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
  const netns = `/proc/${String(holder.pid)}/ns/net`;
  // unshare has no way to say that it is done.
  while (readlinkSync(netns) === own) await delay(2);
  const id = `bench-${process.pid}-${index}`;
  times.push(call('ADD', id, netns));
  call('DEL', id, netns);
  holder.kill('SIGKILL');
}
console.log(JSON.stringify(times));
