import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Enough for what led to a failure: k3s writes some 200 lines a second when it is in trouble. */
const READ_BYTES = 256 << 10;
const SHOWN_LINES = 40;

export interface LogTail {
  readonly name: string;
  /** The lines that matter, the last of them. */
  readonly lines: readonly string[];
}

/** The end of every log of the run, the most telling last, as a log is read from its end. */
export async function tailLogs(directory: string): Promise<LogTail[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
    .map(({ name }) => name);
  const order = ['init.log', 'gateway.log', 'controller.log', 'containerd.log', 'k3s.log'];
  names.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return Promise.all(
    names.map(async (name) => ({
      name,
      lines: linesThatMatter(await tail(join(directory, name))).slice(-SHOWN_LINES),
    })),
  );
}

async function tail(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, READ_BYTES);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const text = buffer.toString('utf8');
    return length < size ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    await file.close();
  }
}

/**
 * What every run in gVisor says, and nobody has to act upon; docs/troubleshooting.md lists them.
 * klog: "I1125 03:40:44.123456 77 file.go:12] message"; logrus: `time="..." level=info msg="..."`.
 */
const HARMLESS: readonly RegExp[] = [
  /^I\d{4} /,
  /\blevel=(info|debug)\b/,
  /Failed to set sysctl/i,
  /imagefs device is not found|invalid capacity 0 on image filesystem/,
  /cgroup v1 support is in maintenance mode/i,
  /^Flag --\S+ has been deprecated/,
  /^Trace\[|^\t?Trace\[/,
];

/** Without what is harmless, each line once: the one said last, with how often it was said. */
export function linesThatMatter(text: string): string[] {
  const found = new Map<string, { line: string; times: number }>();
  for (const line of text.split('\n')) {
    if (line.trim() === '' || HARMLESS.some((pattern) => pattern.test(line))) {
      continue;
    }
    const key = withoutTime(line);
    const times = (found.get(key)?.times ?? 0) + 1;
    // Said again means said later.
    found.delete(key);
    found.set(key, { line, times });
  }
  return [...found.values()].map(({ line, times }) =>
    times === 1 ? line : `${line} (said ${times} times)`,
  );
}

/** What two lines that say the same have in common. */
function withoutTime(line: string): string {
  return line
    .replace(/^[EWF]\d{4} [\d:.]+ +\d+ /, '')
    .replace(/\btime="[^"]*"/, '')
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, '');
}
