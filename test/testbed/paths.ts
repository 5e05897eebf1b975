import { homedir } from 'node:os';
import { join } from 'node:path';

/** Everything the testbed builds, by content, and the writable layers of running sandboxes. */
export const cacheDir =
  process.env['K3S_IN_GVISOR_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'k3s-in-gvisor');

/** Records of running sandboxes. On /run, because none outlives a reboot. */
export const runDir = '/run/k3s-in-gvisor';

export const testbedDir = import.meta.dirname;
