import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/plan/plan.ts';
import { anchorOf, docsLink } from '../../../src/report/docs.ts';
import { drawTimeline } from '../../../src/report/picture.ts';
import { failureMessage, Reporter } from '../../../src/report/reporter.ts';
import { Storyteller } from '../../../src/report/story.ts';
import { renderSummary } from '../../../src/report/summary.ts';
import { tellAll, type Failure, type Reach } from '../../../src/run/events.ts';
import { stockFacts } from '../plan/facts.ts';

const FAILURE: Failure = {
  message: 'Failed to reach "cluster DNS ready": the timeout passed; last seen: no pod',
  rung: 'cluster DNS ready',
  causes: [
    {
      heading: 'ErrImagePull',
      cause: 'No image.',
      fix: 'Give it.',
      evidence: 'coredns: ErrImagePull',
    },
  ],
  diagnosis: {
    nodes: [],
    pods: ['kube-system/coredns: ErrImagePull'],
    claims: [],
    events: [],
    unknown: [],
  },
  logs: [{ name: 'k3s.log', lines: ['E1 broken', '::set-output name=x::y'] }],
};

const PLAN = {
  mode: 'node',
  isolation: 'namespaces',
  nodeName: 'runner',
  fellShort: [{ mode: 'full', obstacles: ['veth: no | (EPERM)', 'run as root'] }],
  warnings: ['no proxy'],
  decisions: [
    { id: 'private-root', reason: 'everything vanishes' },
    { id: 'interceptor', reason: undefined },
  ],
  launch: { steps: [] },
} as unknown as Plan;

const REACH = {
  kubeconfig: '/tmp/run/kubeconfig',
  server: 'https://127.0.0.1:6443',
  context: 'k3s-in-gvisor',
  k3s: { version: 'v1.34.1+k3s1' },
  plan: PLAN,
} as unknown as Reach;

function summaryOf(tell: (storyteller: Storyteller) => void): string {
  const storyteller = new Storyteller();
  tell(storyteller);
  return renderSummary({
    story: storyteller.story,
    logs: '/tmp/run/logs',
    bundle: '/tmp/run/bundle',
    docs: docsLink({}),
  });
}

describe('the summary', () => {
  it('of a good run begins with what to do next and ends with what was found', () => {
    const summary = summaryOf((run) => {
      run.reached({ name: 'facts found', at: 250 });
      run.facts(stockFacts());
      run.plan(PLAN);
      run.kubeconfig(REACH);
      run.reached({ name: 'node Ready', at: 10_000 });
      run.ready(REACH);
    });
    expect(summary).toMatch(
      /^### k3s v1\.34\.1\+k3s1 in gVisor: ready after 10\.00 s, mode node\n\n\*\*Next:\*\* /,
    );
    expect(summary).toContain('`KUBECONFIG` = `/tmp/run/kubeconfig`');
    expect(summary).toContain('Not **full**: veth: no | (EPERM); run as root.');
    expect(summary).toMatch(/node Ready {5}9\.75 s {2}│ █{39} │ 10\.00 s/);
    expect(summary).toContain('| private-root | everything vanishes |');
    expect(summary).toContain('| interceptor | not needed |');
    expect(summary.indexOf('<details>')).toBeGreaterThan(summary.indexOf('│'));
  });

  it('of a failed run tells why, what to do, and all that was known', () => {
    const summary = summaryOf((run) => {
      run.facts(stockFacts());
      run.kubeconfig(REACH);
      run.reached({ name: 'API server ready', at: 9_000 });
      run.failed(FAILURE);
    });
    expect(summary).toMatch(/^### k3s v1\.34\.1\+k3s1 in gVisor: failed after 9\.00 s/);
    expect(summary).toContain('While waiting for **cluster DNS ready**');
    expect(summary).toContain(
      '**No image.** Give it. ([more](docs/troubleshooting.md#errimagepull))',
    );
    expect(summary).toContain('kube-system/coredns: ErrImagePull');
    expect(summary).toContain('steps with `if: failure()` can ask it');
    expect(summary).toContain('`/tmp/run/bundle`');
    expect(summary).toContain('Facts');
  });

  it('of a run that knew nothing is short', () => {
    expect(
      summaryOf((run) => {
        run.failed({
          ...FAILURE,
          rung: undefined,
          causes: [],
          diagnosis: { nodes: [], pods: [], claims: [], events: [], unknown: [] },
        });
      }),
    ).not.toContain('undefined');
  });
});

describe('drawTimeline', () => {
  it('is empty for nothing, and shows what took no time', () => {
    expect(drawTimeline([])).toEqual([]);
    expect(
      drawTimeline([
        { name: 'a', at: 0 },
        { name: 'b', at: 100 },
      ]),
    ).toEqual([
      `a    0.00 s  │█${' '.repeat(40)}│ 0.00 s`,
      `b    0.10 s  │${'█'.repeat(40)} │ 0.10 s`,
    ]);
  });
});

describe('Reporter', () => {
  const lines: string[] = [];
  const log = {
    info: (line: string) => lines.push(line),
    notice: (line: string) => lines.push(`notice: ${line}`),
    warning: (line: string) => lines.push(`warning: ${line}`),
    group: (title: string, body: () => void) => {
      lines.push(title);
      body();
    },
    quote: (title: string, quoted: readonly string[]) =>
      lines.push(title, ...quoted.map((line) => `> ${line}`)),
  };
  const reporter = new Reporter(log, (text) => text.replaceAll('secret', '***'), docsLink({}));
  const told = (tell: () => void): string[] => {
    lines.length = 0;
    tell();
    return [...lines];
  };

  it('warns of a run that fell short of what was promised', () => {
    expect(
      told(() => {
        reporter.plan(PLAN);
      }),
    ).toContain('warning: Not full: veth: no | (EPERM); run as root');
  });

  it('says what is waited for', () => {
    expect(
      told(() => {
        reporter.waiting({ rung: 'node Ready', last: 'no secret' });
      }),
    ).toEqual(['           … node Ready: no ***']);
  });

  it('quotes logs and the cluster on a failure', () => {
    expect(
      told(() => {
        reporter.failed(FAILURE);
      }),
    ).toEqual([
      'End of k3s.log',
      '> E1 broken',
      '> ::set-output name=x::y',
      'What the cluster says',
      '> Pods that are not ready:',
      '>   kube-system/coredns: ErrImagePull',
      'Seen: ErrImagePull',
      '> coredns: ErrImagePull',
      '> See docs/troubleshooting.md#errimagepull',
    ]);
    expect(failureMessage(FAILURE)).toBe(`${FAILURE.message}\nNo image. Give it.`);
  });

  it('warns of a cluster that ended, and not of pods that a job left as they are', () => {
    const ended = { ...FAILURE, how: 'ended', exits: [], warning: 'The cluster ended' } as const;
    expect(
      told(() => {
        reporter.ended(ended);
      }).at(-1),
    ).toBe('warning: The cluster ended\nNo image. Give it.');
    const well = { ...ended, how: 'running', warning: undefined } as const;
    expect(
      told(() => {
        reporter.ended(well);
      }),
    ).toEqual(['Pods that are not ready', '> kube-system/coredns: ErrImagePull']);
  });
});

describe('docsLink', () => {
  it('names the heading as GitHub does', () => {
    expect(anchorOf('x509: certificate signed by unknown authority')).toBe(
      'x509-certificate-signed-by-unknown-authority',
    );
    const environment = {
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_ACTION_REPOSITORY: 'o/k3s-in-gvisor',
      GITHUB_ACTION_REF: 'v1',
    };
    expect(docsLink(environment)('no space left on device')).toBe(
      'https://github.com/o/k3s-in-gvisor/blob/v1/docs/troubleshooting.md#no-space-left-on-device',
    );
  });
});

describe('tellAll', () => {
  it('tells each listener what it listens to, in their order', () => {
    const heard: string[] = [];
    const events = tellAll(
      { info: (text) => heard.push(`one ${text}`) },
      { info: (text) => heard.push(`two ${text}`), reached: ({ name }) => heard.push(name) },
    );
    events.info('x');
    events.reached({ name: 'y', at: 1 });
    events.waiting({ rung: 'z', last: '' });
    expect(heard).toEqual(['one x', 'two x', 'y']);
  });
});
