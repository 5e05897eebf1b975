import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { command } from '../command.ts';

/** The `config` object of an OCI image: what a container of it starts with. */
export interface ImageConfig {
  User?: string;
  Env?: readonly string[];
  Entrypoint?: readonly string[];
  Cmd?: readonly string[];
  WorkingDir?: string;
  ExposedPorts?: Readonly<Record<string, object>>;
  StopSignal?: string;
}

/**
 * Writes an image as `docker save` does: an OCI layout with the older `manifest.json` beside it.
 * @param layers uncompressed tars, lowest first
 */
export async function writeArchive(
  path: string,
  image: { names: readonly string[]; config: ImageConfig; layers: readonly string[] },
): Promise<void> {
  const root = `${path}.root`;
  const blobs = join(root, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, content: Uint8Array) => {
    const hex = createHash('sha256').update(content).digest('hex');
    await writeFile(join(blobs, hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const putJson = (mediaType: string, value: object) =>
    put(mediaType, Buffer.from(JSON.stringify(value)));

  const layers = [];
  for (const layer of image.layers) {
    layers.push(await put('application/vnd.oci.image.layer.v1.tar', await readFile(layer)));
  }
  const diffIds = layers.map(({ digest }) => digest);
  const config = await putJson('application/vnd.oci.image.config.v1+json', {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created: '1970-01-01T00:00:00Z' })),
  });
  const manifest = await putJson('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers,
  });
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: image.names.map((name) => ({
      ...manifest,
      annotations: { 'io.containerd.image.name': name },
    })),
  };
  const blob = ({ digest }: { digest: string }) => digest.replace('sha256:', 'blobs/sha256/');
  const docker = [{ Config: blob(config), RepoTags: image.names, Layers: layers.map(blob) }];
  await writeFile(join(root, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(root, 'index.json'), JSON.stringify(index));
  await writeFile(join(root, 'manifest.json'), JSON.stringify(docker));
  await command([
    ...['tar', '-C', root, '--sort=name', '--mtime=@0', '--owner=0', '--group=0'],
    ...['--numeric-owner', '-cf', path, 'blobs', 'index.json', 'manifest.json', 'oci-layout'],
  ]);
  await rm(root, { recursive: true });
}
