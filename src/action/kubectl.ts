import { join } from 'node:path';
import * as core from '@actions/core';
import { which } from '@actions/io';
import { run } from '../exec.ts';
import type { InstalledK3s } from '../k3s/install.ts';

/** kubectl supports a server that is one minor version older or newer (Kubernetes' version skew policy). */
const SKEW = 1;

/** Gives later steps k3s's kubectl where they have none; says where theirs is too old or too new for the server. */
export async function exportKubectl({
  tools,
  version,
}: Pick<InstalledK3s, 'tools' | 'version'>): Promise<void> {
  const present = await which('kubectl');
  if (present === '') {
    core.addPath(tools);
    return;
  }
  const client = await run([present, 'version', '--client', '--output=json'], {
    timeoutMs: 10_000,
  }).then(
    (text) => /"gitVersion": *"(v[^"]+)"/.exec(text)?.[1],
    () => undefined,
  );
  const skew = skewOf(client, version);
  if (client !== undefined && skew !== undefined && skew > SKEW) {
    core.notice(
      `The runner's kubectl ${client} (${present}) does not go with Kubernetes ${version}; the one that does is ${join(tools, 'kubectl')}`,
    );
  }
}

/** How many minor versions lie between them; undefined where one is not known. */
export function skewOf(client: string | undefined, server: string): number | undefined {
  const [one, other] = [client, server].map((version) => /^v1\.(\d+)/.exec(version ?? '')?.[1]);
  return one === undefined || other === undefined
    ? undefined
    : Math.abs(Number(one) - Number(other));
}
