import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const TAIL_BYTES = 8_192;

export interface LogTail {
  readonly name: string;
  readonly text: string;
}

/** The end of every log of the run, the most telling first. */
export async function tailLogs(directory: string): Promise<LogTail[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
    .map(({ name }) => name);
  const order = ['init.log', 'gateway.log', 'controller.log', 'containerd.log', 'k3s.log'];
  names.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return Promise.all(
    names.map(async (name) => ({ name, text: await tail(join(directory, name)) })),
  );
}

async function tail(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const text = buffer.toString('utf8');
    return length < size ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    await file.close();
  }
}
