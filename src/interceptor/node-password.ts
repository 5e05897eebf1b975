import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where k3s looks for it before it makes one (pkg/agent/config, ensureNodePassword). */
const PATH = '/etc/rancher/node/password';

/**
 * A node's password in the interceptor's tree of answers, for a user who cannot make /etc/rancher:
 * k3s wants one even without an agent, "Waiting to retrieve agent configuration; server is not
 * ready: mkdir /etc/rancher: permission denied", for ever. Of this run alone, and read by its user only.
 */
export async function answerNodePassword(answers: string): Promise<void> {
  const path = join(answers, PATH);
  await mkdir(dirname(path), { recursive: true });
  // Beside it k3s makes sure of its configuration's directory.
  await mkdir(join(answers, '/etc/rancher/k3s'), { recursive: true });
  await writeFile(path, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 });
}
