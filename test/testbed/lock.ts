import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs the action while holding the lock file. Node has no flock(2), so a child holds it; the kernel
 * frees it however this process ends.
 */
export async function locked<T>(path: string, action: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [path, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(holder, 'close');
  await Promise.race([
    once(holder.stdout, 'data'),
    closed.then(() => Promise.reject(new Error(`Failed to lock ${path}: flock ended`))),
  ]);
  try {
    return await action();
  } finally {
    holder.stdin.end();
    await closed;
  }
}
