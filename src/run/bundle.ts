import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getExecOutput } from '@actions/exec';
import { renderDiagnosis } from '../cluster/diagnose.ts';
import { bareEnvironment } from '../exec.ts';
import { errorMessage } from '../errors.ts';
import { exists } from '../files.ts';
import { runPaths } from '../layout.ts';
import { redactor, type Redact } from '../redact.ts';
import type { Examination } from './examine.ts';
import { loadState } from './state.ts';

/** What of the cluster is worth having when it is gone; each file is what kubectl prints. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  'describe-nodes.txt': ['describe', 'nodes'],
  'describe-pods.txt': ['describe', 'pods', '--all-namespaces'],
  'objects.txt': ['get', 'all,pvc,ingress,endpointslices', '--all-namespaces', '--output=wide'],
  'events.txt': ['get', 'events', '--all-namespaces', '--sort-by=.lastTimestamp'],
};

/** What a log may hold at most, from its end: a bundle is sent around. */
const LONGEST_LOG = 4 << 20;

/**
 * Puts together what helps to explain a failure, in the run's directory: facts, plan, timeline, logs, what
 * the cluster says; without secrets.
 * @returns the directory of the bundle
 * @throws if it cannot be written
 */
export async function writeBundle(directory: string, found?: Examination): Promise<string> {
  const state = await loadState(directory);
  const { logs, bundle } = runPaths(directory);
  const redact = redactor(state?.secrets ?? []);
  try {
    await rm(bundle, { recursive: true, force: true });
    await mkdir(bundle, { recursive: true });
    await copyRedacted(logs, join(bundle, 'logs'), redact);
    for (const name of ['facts.json', 'plan.json', 'timeline.json']) {
      const from = join(bundle, 'logs', name);
      if (await exists(from)) {
        await cp(from, join(bundle, name));
        await rm(from);
      }
    }
    if (found !== undefined) {
      const causes = found.causes.map(
        ({ heading, cause, fix, evidence }) => `${heading}\n  ${cause}\n  ${fix}\n  ${evidence}`,
      );
      const text = [...renderDiagnosis(found.diagnosis), ...causes].join('\n');
      await writeFile(join(bundle, 'diagnosis.txt'), `${text}\n`);
    }
    const kubeconfig = state?.kubeconfig ?? join(directory, 'kubeconfig');
    if (state?.tools !== undefined && (await exists(kubeconfig))) {
      await ask(join(state.tools, 'kubectl'), kubeconfig, bundle, redact);
    }
  } catch (error) {
    throw new Error(`Failed to write the bundle ${bundle}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  return bundle;
}

async function copyRedacted(from: string, to: string, redact: Redact): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true }).catch(
    () => [],
  )) {
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      const copy = join(to, path.slice(from.length + 1));
      const text = (await readFile(path)).subarray(-LONGEST_LOG).toString('utf8');
      await mkdir(join(copy, '..'), { recursive: true });
      await writeFile(copy, redact(text));
    }
  }
}

/** Whatever the cluster still answers: what it does not is in the file as kubectl's error. */
async function ask(
  kubectl: string,
  kubeconfig: string,
  bundle: string,
  redact: Redact,
): Promise<void> {
  await Promise.all(
    Object.entries(QUESTIONS).map(async ([name, args]) => {
      const { stdout, stderr } = await getExecOutput(
        // @actions/exec reads the program as a command line.
        `"${kubectl}"`,
        [
          ...args,
          `--kubeconfig=${kubeconfig}`,
          '--request-timeout=10s',
          `--cache-dir=${join(bundle, '..', 'kubectl')}`,
        ],
        { silent: true, ignoreReturnCode: true, env: bareEnvironment() },
      );
      await writeFile(join(bundle, name), redact(stdout + stderr));
    }),
  );
}
