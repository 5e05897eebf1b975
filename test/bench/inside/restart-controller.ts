/**
 * Kills the controller, which init starts again, and prints how old, in seconds, each new one was
 * when its whole table was in force. Runs in the node's namespaces. usage: restart-controller.ts COUNT
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** USER_HZ, in which /proc/PID/stat counts; the same on every Linux. */
const TICKS_PER_SECOND = 100;

const read = (path: string) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const findController = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .find((pid) => read(`/proc/${pid}/cmdline`).includes('/controller/index.js\0'));

async function isReady(): Promise<boolean> {
  try {
    return (await fetch('http://127.0.0.1:10240/readyz')).ok;
  } catch {
    return false;
  }
}

function ageOf(pid: string): number {
  const stat = read(`/proc/${pid}/stat`);
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return Number(read('/proc/uptime').split(' ')[0]) - startTicks / TICKS_PER_SECOND;
}

const ages: number[] = [];
for (let round = 0; round < Number(process.argv[2]); round++) {
  while (!(await isReady())) await delay(20);
  const old = findController();
  process.kill(Number(old), 'SIGKILL');
  let pid: string | undefined;
  while (pid === undefined || pid === old || !(await isReady())) {
    await delay(10);
    pid = findController();
  }
  ages.push(ageOf(pid));
}
console.log(JSON.stringify(ages));
