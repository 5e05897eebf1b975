import { expect } from 'vitest';

import type { ImageName } from '../testbed/images/images.ts';
import type { Tool } from '../testbed/tools.ts';
import type { Job } from '../e2e/support/job.ts';

/** A chart that nobody here wrote, as it is in the module of the program it installs. */
export interface ForeignChart {
  name: string;
  tool: Tool;
  module: string;
  /** Folders of the module: the chart, and what else its test applies, below `EXAMPLES`. */
  chart: string;
  examples?: string;
  /** What a step runs, in `PROGRAMS`. */
  programs?: readonly Tool[];
  images: readonly ImageName[];
  settings: readonly string[];
  /** Its pods' tests, by `helm test`. */
  suites: readonly string[];
  /** That what it installed does its work, beyond being ready. */
  works: (job: Job, release: string) => Promise<void>;
}

export const CHARTS = '/opt/testbed/charts';
export const EXAMPLES = '/opt/testbed/chart-examples';
export const PROGRAMS = '/opt/testbed/chart-programs';

const POLL = { timeout: 180_000, interval: 2_000 };

export const FOREIGN_CHARTS: readonly ForeignChart[] = [
  {
    name: 'podinfo',
    tool: 'podinfo',
    module: 'github.com/stefanprodan/podinfo',
    chart: 'charts/podinfo',
    images: ['podinfo', 'redis', 'tiny-tools', 'grpc-health-probe'],
    settings: [
      ...['replicaCount=2', 'podDisruptionBudget.minAvailable=1', 'redis.enabled=true'],
      ...['hpa.enabled=true', 'hpa.cpu=95', 'cache=tcp://RELEASE-redis:6379'],
    ],
    suites: ['cache', 'grpc', 'jwt', 'service'],
    works: async (job, release) => {
      const hpa = ['get', 'hpa', `--namespace=${release}`, '--output'];
      const utilization =
        '{.items[0].status.currentMetrics[0].resource.current.averageUtilization}';
      await expect
        .poll(() => job.must(['kubectl', ...hpa, `jsonpath=${utilization}`]), POLL)
        .toMatch(/^\d+$/);
    },
  },
  {
    name: 't4',
    tool: 't4',
    module: 'github.com/t4db/t4',
    chart: 'charts/t4',
    images: ['t4'],
    settings: [],
    suites: [],
    works: async (job, release) => {
      const namespace = `--namespace=${release}`;
      // PutRequest{key: "k", value: "kept"} and RangeRequest{key: "k"} of etcd's API.
      const ask = (method: string, message: string) =>
        job.must([
          ...['kubectl', 'run', 'client', namespace, '--image=curlimages/curl:8.20.0'],
          ...['--restart=Never', '--rm', '--attach', '--quiet', '--command', '--', 'sh', '-c'],
          `printf '${message}' | curl --silent --show-error --fail --http2-prior-knowledge ` +
            `--header 'Content-Type: application/grpc' --header 'TE: trailers' --data-binary @- ` +
            `http://${release}:3379/etcdserverpb.KV/${method} | tr -cd a-z`,
        ]);
      await ask('Put', String.raw`\0\0\0\0\011\012\001k\022\004kept`);
      await job.must(['kubectl', 'delete', 'pod', `${release}-0`, namespace]);
      const again = ['rollout', 'status', `statefulset/${release}`, '--timeout=3m'];
      await job.must(['kubectl', ...again, namespace]);
      expect(await ask('Range', String.raw`\0\0\0\0\003\012\001k`)).toContain('kept');
    },
  },
  {
    name: 'local-path-provisioner',
    tool: 'local-path-provisioner',
    module: 'github.com/rancher/local-path-provisioner',
    chart: 'deploy/chart/local-path-provisioner',
    images: ['busybox'],
    settings: ['storageClass.name=second'],
    suites: [],
    works: async (job, release) => {
      const namespace = `--namespace=${release}`;
      const claim = {
        ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'claim' } },
        spec: {
          storageClassName: 'second',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Mi' } },
        },
      };
      const container = {
        ...{ name: 'writer', image: 'busybox:latest' },
        command: ['sh', '-c', 'echo kept >/claim/file && cat /claim/file'],
        volumeMounts: [{ name: 'claim', mountPath: '/claim' }],
      };
      const pod = {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'writer' } },
        spec: {
          restartPolicy: 'Never',
          containers: [container],
          volumes: [{ name: 'claim', persistentVolumeClaim: { claimName: 'claim' } }],
        },
      };
      const objects = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [claim, pod] });
      const create = 'printf %s "$1" | kubectl create --filename=- "$2"';
      await job.must(['sh', '-c', create, 'sh', objects, namespace]);
      const done = ['--for=jsonpath={.status.phase}=Succeeded', '--timeout=3m'];
      await job.must(['kubectl', 'wait', 'pod/writer', ...done, namespace]);
      expect(await job.must(['kubectl', 'logs', 'writer', namespace])).toBe('kept\n');
      // Its volume goes by a pod that the provisioner starts: not after it is gone itself.
      const volume = await job.must([
        ...['kubectl', 'get', 'pvc/claim', '--output=jsonpath={.spec.volumeName}', namespace],
      ]);
      await job.must(['kubectl', 'delete', 'pod/writer', 'pvc/claim', namespace]);
      await job.must(['kubectl', 'wait', `pv/${volume}`, '--for=delete', '--timeout=2m']);
    },
  },
  {
    name: 'descheduler',
    tool: 'descheduler',
    module: 'sigs.k8s.io/descheduler',
    chart: 'charts/descheduler',
    images: ['descheduler'],
    settings: ['schedule=* * * * *'],
    suites: [],
    works: async (job, release) => {
      const succeeded = ['--output=jsonpath={.items[0].status.lastSuccessfulTime}'];
      await expect
        .poll(
          () => job.must(['kubectl', 'get', 'cronjob', `--namespace=${release}`, ...succeeded]),
          POLL,
        )
        .toMatch(/Z$/);
    },
  },
  {
    name: 'gatekeeper',
    tool: 'gatekeeper',
    module: 'github.com/open-policy-agent/gatekeeper/v3',
    chart: 'charts/gatekeeper',
    examples: 'demo/basic',
    images: ['gatekeeper', 'gatekeeper-crds'],
    settings: [
      'controllerManager.networkPolicy.enabled=true',
      'preUninstall.deleteWebhookConfigurations.enabled=true',
      // The chart's own role binding asks for a value that its values do not have.
      'preUninstall.deleteWebhookConfigurations.name=gatekeeper-delete-webhook-configs',
    ],
    suites: [],
    works: async (job) => {
      const kubectl = (...args: string[]) => job.exec(['kubectl', ...args]);
      const examples = `${EXAMPLES}/gatekeeper`;
      const template = `${examples}/templates/k8srequiredlabels_template.yaml`;
      const constraint = `${examples}/constraints/all_ns_must_have_gatekeeper.yaml`;
      await job.must(['kubectl', 'apply', '--filename', template]);
      await expect
        .poll(async () => (await kubectl('apply', '--filename', constraint)).code, POLL)
        .toBe(0);
      const create = ['create', '--dry-run=server', '--filename'];
      await expect
        .poll(async () => (await kubectl(...create, `${examples}/bad/bad_ns.yaml`)).stderr, POLL)
        .toContain('you must provide labels');
      await job.must(['kubectl', ...create, `${examples}/good/good_ns.yaml`]);
      const audited = ['--output', 'jsonpath={.status.totalViolations}'];
      await expect
        .poll(
          async () => Number((await kubectl('get', '--filename', constraint, ...audited)).stdout),
          POLL,
        )
        .toBeGreaterThan(0);
      await job.must(['kubectl', 'delete', '--filename', constraint, '--filename', template]);
    },
  },
  {
    name: 'sealed-secrets',
    tool: 'sealed-secrets',
    module: 'github.com/bitnami-labs/sealed-secrets',
    chart: 'helm/sealed-secrets',
    programs: ['kubeseal'],
    images: ['sealed-secrets'],
    settings: [],
    suites: [],
    works: async (job, release) => {
      // kubeseal asks the controller for its certificate, by the API server's way to Services.
      const seal = `kubectl create secret generic sealed --from-literal=key=kept --dry-run=client \
          --namespace="$1" --output=json |
        "$2" --controller-name="$1" --controller-namespace="$1" | kubectl apply --filename=-`;
      const argv = [
        'bash',
        '-euo',
        'pipefail',
        '-c',
        seal,
        'bash',
        release,
        `${PROGRAMS}/kubeseal`,
      ];
      await expect.poll(async () => (await job.exec(argv)).code, POLL).toBe(0);
      const get = ['kubectl', 'get', 'secret/sealed', `--namespace=${release}`];
      await expect
        .poll(async () => (await job.exec([...get, '--output=jsonpath={.data.key}'])).stdout, POLL)
        .toBe(Buffer.from('kept').toString('base64'));
      const namespace = `--namespace=${release}`;
      await job.must(['kubectl', 'delete', 'sealedsecret/sealed', namespace]);
      await job.must([
        ...['kubectl', 'wait', 'secret/sealed', '--for=delete', '--timeout=2m', namespace],
      ]);
    },
  },
];
