import { abortAfter } from '../abort.ts';
import { diagnose, NOTHING_KNOWN, type Diagnosis } from '../cluster/diagnose.ts';
import { errorMessage } from '../errors.ts';
import { withClient } from '../kubernetes/kubeconfig.ts';
import { redactJson, type Redact } from '../redact.ts';
import { findCauses, type Cause } from './causes.ts';
import { tailLogs, type LogTail } from './logs.ts';

/** How long a cluster that is not well may take to say so. */
const PATIENCE_MS = 10_000;

/** What a cluster and its logs say of it. */
export interface Examination {
  readonly diagnosis: Diagnosis;
  /** What is known to lead to this, the most telling first. */
  readonly causes: readonly Cause[];
  readonly logs: readonly LogTail[];
}

/**
 * All that can be found out. Never throws: what cannot be found out is part of the answer.
 * @param wanted `kubeconfig`: undefined where the API server never answered; `said`: what is known
 *   already; `rung`: what was waited for
 */
export async function examine(wanted: {
  readonly kubeconfig: string | undefined;
  readonly logs: string;
  readonly said: readonly string[];
  readonly rung: string;
  readonly redact: Redact;
}): Promise<Examination> {
  const { kubeconfig, said, rung, redact } = wanted;
  const [diagnosis, logs] = await Promise.all([
    kubeconfig === undefined ? NOTHING_KNOWN : askCluster(kubeconfig),
    tailLogs(wanted.logs).catch(() => []),
  ]);
  const causes = findCauses(
    [
      ...said,
      ...diagnosis.nodes,
      ...diagnosis.pods,
      // What was said last counts first.
      ...diagnosis.events.toReversed(),
      ...logs.flatMap(({ lines }) => lines.toReversed()),
    ],
    rung,
  );
  // Not before the causes are found, which are literal errors.
  return JSON.parse(redactJson({ diagnosis, causes, logs }, redact)) as Examination;
}

export async function askCluster(kubeconfig: string): Promise<Diagnosis> {
  const patience = abortAfter(PATIENCE_MS, `no answer for ${PATIENCE_MS / 1_000} s`);
  try {
    return await withClient(kubeconfig, (client) => diagnose(client, patience.signal));
  } catch (error) {
    return { ...NOTHING_KNOWN, unknown: [errorMessage(error)] };
  } finally {
    patience.clear();
  }
}
