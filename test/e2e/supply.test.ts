import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { image } from '../testbed/images/images.ts';
import { k3s, kubernetesVersion } from '../testbed/k3s.ts';
import { startClusterSandbox } from '../testbed/cluster.ts';
import { runWorkflow, type WorkflowResult } from '../testbed/workflow.ts';
import { inFull } from './support/profiles.ts';
import { publish, publishChannels } from '../supply/release.ts';
import { forward, startProxy, startServer, type Handler } from '../supply/server.ts';

const ROOT = join(import.meta.dirname, '../..');
const TAG = `v${kubernetesVersion}+k3s1`;
const SECRET = 'the-registrys-secret';
const CREDENTIALS = `Basic ${Buffer.from(`testbed:${SECRET}`).toString('base64')}`;
/** Not among the tars, so that its layers come over the network. */
const IMAGE = 'e2e-test-images/agnhost:2.56';

describe.each<'stock' | 'privileged'>(['stock', ...inFull('privileged' as const)])(
  'in profile %s',
  (profile) => {
    it('supplies k3s and images: mirror, Actions cache, registries, proxy', async () => {
      const archive = await image('agnhost');
      await using sandbox = await startClusterSandbox({ profile, registry: [archive] });
      const { host, sandbox: address } = sandbox.addresses;
      const registry = `http://${host}:5000`;

      await using mirror = await startServer(host, 8080);
      const release = publish(mirror, TAG, readFileSync(await k3s()));
      publishChannels(mirror, { stable: TAG });
      const downloads = (): number =>
        mirror.requests.filter((line) => line === `GET ${release.paths.binary}`).length;

      let authorized = 0;
      await using guarded = await startServer(host, 5001);
      guarded.fallback((request, response) => {
        const passOn: Handler = forward(`${registry}${request.url ?? ''}`);
        if (request.headers.authorization === CREDENTIALS) {
          authorized++;
          passOn(request, response);
        } else {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="testbed"' }).end();
        }
      });
      await using proxy = await startProxy(registry, host, 3128);

      const run = async (): Promise<WorkflowResult> => {
        const result = await runWorkflow(sandbox, {
          workflowFile: join(import.meta.dirname, 'workflows/supply.yml'),
          repoDir: ROOT,
          env: {
            IMAGE,
            HTTP_PROXY: `http://testbed:unused@${host}:3128`,
            NO_PROXY: `.test,${host},${address}`,
          },
        });
        expect(result.code, result.log).toBe(0);
        return result;
      };
      const onFreshMachine = async (): Promise<WorkflowResult> => {
        const tools = '/home/runner/_work/act/actions/tool_cache';
        const { code, stderr } = await sandbox.exec(['rm', '-r', tools]);
        expect(code, stderr).toBe(0);
        return run();
      };

      const miss = await run();
      expect(miss.log).toContain(`version ${TAG}, cache-hit false`);
      expect(miss.log).toContain('detects corruption, not malice');
      expect(miss.log).toMatch(/Saved .*k3s to the cache service/);
      expect(miss.log).toContain('these images were not prepared yet');
      expect(miss.log).toMatch(/Saved .*images.* to the cache service/);
      expect(downloads()).toBe(1);
      expect(authorized).toBeGreaterThan(0);
      expect(proxy.tunnels).toContain('registry.proxied:5000');
      expect(proxy.tunnels.every((name) => name.startsWith('registry.proxied'))).toBe(true);
      expect(miss.log).not.toContain('testbed:unused');
      expect(planOf(miss.log)).not.toContain(SECRET);

      const kept = await run();
      expect(kept.log).toContain('cache-hit true');
      expect(kept.log).toContain('is in the tool cache');
      expect(kept.log).toContain('the images are in the tool cache');

      const hit = await onFreshMachine();
      expect(hit.log).toContain('cache-hit true');
      expect(hit.log).toMatch(/k3s v\S+ came from the cache service/);
      expect(hit.log).toContain('the images came from the cache service');
      expect(downloads()).toBe(1);

      // In the middle of the two archives it keeps: neither their sizes nor their beginnings tell.
      const damage = `
      const fs = require('node:fs'), path = require('node:path');
      const files = fs.readdirSync('/home/runner/_work/act/cache', { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
        .filter((file) => fs.statSync(file).size > 1e6 && !file.endsWith('.db'));
      if (files.length !== 2) throw new Error('found ' + files);
      for (const file of files) {
        const fd = fs.openSync(file, 'r+');
        fs.writeSync(fd, Buffer.alloc(64, 0xff), 0, 64, fs.statSync(file).size >> 1);
      }`;
      const damaged = await sandbox.exec(['node', '-e', damage]);
      expect(damaged.code, damaged.stderr).toBe(0);
      const corrupt = await onFreshMachine();
      expect(corrupt.log).toContain('cache-hit false');
      expect(corrupt.log).toContain('these images were not prepared yet');
      expect(downloads()).toBe(2);
    });
  },
);

/** What the action prints of its plan; act itself echoes the workflow's inputs. */
function planOf(log: string): string {
  return log
    .split('\n')
    .filter((line) => /\b(registries|configuration|environment): /.test(line))
    .join('\n');
}
