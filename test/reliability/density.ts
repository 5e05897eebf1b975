/**
 * `make density`: pause pods, more and more of them on one node in a sandbox of profile stock, until
 * something gives; what it was, and what it said.
 *
 *   MOST=500    where to end at the latest
 *   STEP=25     how many at once
 */
import { startAction, type Action } from '../bench/action.ts';
import { PS, residentParts } from '../bench/resident.ts';
import { positive } from './numbers.ts';
import { record } from './record.ts';
import type { Density } from './reports.ts';

const IMAGE = 'docker.io/rancher/mirrored-pause:3.6';
/** How long a step may take: what takes longer has given. */
const PATIENCE = '--timeout=180s';

const most = positive('MOST', 500);
const step = positive('STEP', 25);
// The kubelet's own limit is 110 pods, and a node's share of the pods' network 254 addresses.
const limits = `--kubelet-arg=max-pods=${most + 20}\n--kube-controller-manager-arg=node-cidr-mask-size=22`;
await using action = await startAction({ profile: 'stock', inputs: ['--k3s-args', limits] });
await action.start();
await action.step(['kubectl', 'create', 'deployment', 'pause', `--image=${IMAGE}`, '--replicas=0']);
const steps: Density['steps'][number][] = [];
let gave = '';
for (let pods = step; pods <= most && gave === ''; pods += step) {
  const begin = performance.now();
  await action.step(['kubectl', 'scale', 'deployment/pause', `--replicas=${pods}`]);
  const argv = ['kubectl', 'rollout', 'status', 'deployment/pause', PATIENCE];
  await action.step(argv).catch(async () => {
    gave = await complaint(action);
  });
  const ps = (await action.step(PS)).stdout;
  const mib =
    ps.split('\n').reduce((sum, line) => sum + Number(line.split(/\s+/)[3] ?? 0), 0) / 1024;
  steps.push({ pods: await ready(action), mib, s: (performance.now() - begin) / 1_000 });
  console.log(
    `${steps.at(-1)?.pods} pods, ${mib.toFixed()} MiB, ${steps.at(-1)?.s.toFixed()} s`,
    gave,
  );
  // That all of the cluster is still there.
  residentParts(ps);
}
await action.stop();
await record({ density: { steps, gave } });

async function ready(action: Action): Promise<number> {
  const path = 'jsonpath={.status.readyReplicas}';
  const { stdout } = await action.step(['kubectl', 'get', 'deployment/pause', `--output=${path}`]);
  return Number(stdout);
}

/** What the cluster says most often of late. */
async function complaint(action: Action): Promise<string> {
  const fields = 'custom-columns=REASON:.reason,MESSAGE:.message';
  const argv = ['kubectl', 'get', 'events', '--field-selector=type=Warning', '--no-headers'];
  const { stdout } = await action.step([...argv, `--output=${fields}`]);
  const reasons = Map.groupBy(stdout.split('\n'), (line) => line.split(/\s/)[0]);
  const [first] = [...reasons.values()].sort((a, b) => b.length - a.length);
  return first?.at(-1) ?? 'nothing was said of it';
}
