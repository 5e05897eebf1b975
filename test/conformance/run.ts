/**
 * `make conformance`: upstream's conformance tests, and those of NetworkPolicy, against the action's
 * cluster in a stock sandbox. Writes results.json here and docs/conformance.md; the ginkgo reports and
 * logs stay in build/conformance/.
 *
 *   AREAS=network,node   only these; the results of the others are kept
 *   PROFILE=privileged   another sandbox
 *
 * Fails if a test fails that reasons.ts does not explain, or passes though it is explained there.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { startAction, type Action } from '../bench/action.ts';
import { kubernetesVersion } from '../testbed/k3s.ts';
import { AREAS, focusOf } from './areas.ts';
import { renderConformance } from './document.ts';
import { parseReport, type SpecResult } from './ginkgo.ts';
import { aliasImages, IMAGES } from './images.ts';
import { e2ePrograms } from './programs.ts';
import { reasonOf } from './reasons.ts';
import { complaints, explain, merge, type Result, type Results } from './results.ts';

const ROOT = join(import.meta.dirname, '../..');
const RESULTS = join(import.meta.dirname, 'results.json');
const LOGS = join(ROOT, 'build/conformance');
const DOCUMENT = join(ROOT, 'docs/conformance.md');
const E2E_PATH = '/opt/e2e';
/** Two: the tests mostly wait, and the clusters of most runners have two processors. */
const PROCESSES = 2;

const profile = process.env['PROFILE'] === 'privileged' ? 'privileged' : 'stock';
const chosen = (process.env['AREAS'] ?? Object.keys(AREAS).join(',')).split(',');
const unknown = chosen.filter((area) => !(area in AREAS));
if (unknown.length > 0) {
  throw new Error(
    `AREAS: ${unknown.join(', ')}: unknown; there are ${Object.keys(AREAS).join(', ')}`,
  );
}
await mkdir(LOGS, { recursive: true });
const found: Result[] = [];
for (const area of chosen) {
  const specs = await runArea(area, AREAS[area]?.deadlineMinutes ?? 0);
  const results = specs.map((spec) => explain(spec, reasonOf));
  found.push(...results);
  await write(results);
  const passed = results.filter(({ result }) => result === 'passed').length;
  console.log(`sig-${area}: ${passed} of ${results.length} passed`);
}
const open = complaints(found, reasonOf);
for (const complaint of open) console.log(complaint);
process.exitCode = open.length === 0 ? 0 : 1;

async function runArea(area: string, deadlineMinutes: number): Promise<SpecResult[]> {
  const programs = await e2ePrograms(kubernetesVersion);
  await using cluster = await startAction({ profile, images: IMAGES });
  await cluster.sandbox.copyIn(programs, E2E_PATH);
  await cluster.start();
  await aliasImages(cluster);
  await runGinkgo(cluster, area, deadlineMinutes);
  await cluster.sandbox.copyOut(`${E2E_PATH}/reports`, LOGS);
  const report = await readFile(join(LOGS, `${area}.json`), 'utf8');
  return parseReport(report, new RegExp(focusOf(area)));
}

/** Test failures are in the report; only a run without a report is an error. */
async function runGinkgo(cluster: Action, area: string, deadlineMinutes: number): Promise<void> {
  const log = createWriteStream(join(LOGS, `${area}.log`));
  const { PATH, KUBECONFIG } = cluster.environment();
  await cluster.sandbox.exec(
    [
      ...[`${E2E_PATH}/ginkgo`, `--procs=${PROCESSES}`, '--no-color'],
      ...[`--timeout=${deadlineMinutes}m`, `--focus=${focusOf(area)}`],
      ...[`--json-report=${area}.json`, `--output-dir=${E2E_PATH}/reports`],
      ...[`${E2E_PATH}/e2e.test`, '--', '--provider=local', `--kubeconfig=${KUBECONFIG}`],
      ...['--prepull-images=false', '--dump-logs-on-failure=false'],
    ],
    {
      cwd: E2E_PATH,
      env: { PATH, KUBECONFIG },
      onOutput: (chunk) => log.write(chunk),
    },
  );
  log.end();
}

async function write(results: readonly Result[]): Promise<void> {
  const before = JSON.parse(await readFile(RESULTS, 'utf8')) as Results;
  const all = merge(before, { kubernetes: kubernetesVersion, results });
  await writeFormatted(RESULTS, JSON.stringify(all));
  await writeFormatted(DOCUMENT, renderConformance(all));
}

/** As `make lint` wants it. */
async function writeFormatted(path: string, text: string): Promise<void> {
  await writeFile(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
}
