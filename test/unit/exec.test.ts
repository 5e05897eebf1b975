import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/exec.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('run', () => {
  it('returns what the program printed', async () => {
    expect(await run(['printf', '%s|', 'a b', '"c"', '$HOME'])).toBe('a b|"c"|$HOME|');
  });

  it('runs a program whose path has blanks and quotes in it', async () => {
    const directory = mkdtempSync(join(tmpdir(), `it's a "place" `));
    symlinkSync('/bin/echo', join(directory, 'my echo'));
    expect(await run([join(directory, 'my echo'), 'hello'])).toBe('hello\n');
    rmSync(directory, { recursive: true });
  });

  it('gives it nothing of the job', async () => {
    vi.stubEnv('ACTIONS_RUNTIME_TOKEN', 'secret');
    vi.stubEnv('INPUT_REGISTRIES', 'secret');
    vi.stubEnv('RUNNER_TRACKING_ID', 'github_1');
    const environment = await run(['env'], { env: { MORE: '1' } });
    expect(environment).not.toContain('secret');
    expect(environment).toMatch(/^RUNNER_TRACKING_ID=github_1$/m);
    expect(environment).toMatch(/^MORE=1$/m);
  });

  it.each([
    [
      ['sh', '-c', 'echo no >&2; exit 3'],
      'Failed to run sh -c echo no >&2; exit 3: exit code 3: no',
    ],
    [['sh', '-c', 'kill -9 $$'], 'SIGKILL: '],
    [['/nothing here'], 'Failed to run /nothing here: spawn /nothing here ENOENT'],
  ])('%j fails with its command and what it said', async (argv, message) => {
    await expect(run(argv)).rejects.toThrow(message);
  });

  it('kills a program that takes too long', async () => {
    await expect(run(['sleep', '60'], { timeoutMs: 50 })).rejects.toThrow(
      'Failed to run sleep 60: it took longer than 0.05 s',
    );
  });

  it('kills it when nobody waits for it any more, and does not begin when that was so before', async () => {
    const abort = new AbortController();
    const running = run(['sleep', '60'], { signal: abort.signal });
    abort.abort(new Error('the timeout passed'));
    await expect(running).rejects.toThrow('Failed to run sleep 60: the timeout passed');
    await expect(run(['sleep', '60'], { signal: abort.signal })).rejects.toThrow(
      'the timeout passed',
    );
  });
});
