import { chmod, chown, copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { cached } from '../cache.ts';
import { command } from '../command.ts';
import { certificates, copyPrograms, pool } from './pool.ts';

/** What one layer of an image holds; paths are absolute paths in the image. */
export interface Layer {
  /** Debian programs, copied with their libraries. */
  programs?: readonly string[];
  /** Debian files, copied as they are. */
  data?: readonly string[];
  /** A link to /bin/busybox for each of its applets whose name is not taken. */
  busybox?: boolean;
  certificates?: boolean;
  /** Directories with mode and owner; also those whose only wish is to exist. */
  directories?: Readonly<Record<string, { mode: number; uid: number }>>;
  files?: Readonly<Record<string, { content: string; mode: number }>>;
  /** Static programs of this machine's cache, with the file capability they carry, if any. */
  tools?: Readonly<Record<string, { from: string; capability?: string }>>;
  links?: Readonly<Record<string, string>>;
}

/** The layer as an uncompressed tar, the same for the same content. */
export async function buildLayer(name: string, layer: Layer): Promise<string> {
  const builder = await readFile(import.meta.filename);
  return cached(`layer-${name}`, [JSON.stringify(layer), await pool(), builder], async (path) => {
    const root = `${path}.root`;
    await mkdir(root);
    await fill(root, layer);
    await command([
      ...['tar', '-C', root, '--sort=name', '--mtime=@0', '--numeric-owner', '--format=posix'],
      ...['--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'],
      ...['--xattrs', '--xattrs-include=security.capability', '-cf', path, '.'],
    ]);
    await rm(root, { recursive: true });
  });
}

async function fill(root: string, layer: Layer): Promise<void> {
  const packages = await pool();
  const place = async (path: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    return join(root, path);
  };
  for (const [path, { mode, uid }] of Object.entries(layer.directories ?? {})) {
    await mkdir(join(root, path), { recursive: true });
    await chmod(join(root, path), mode);
    await chown(join(root, path), uid, uid);
  }
  await copyPrograms(packages, layer.programs ?? [], root);
  for (const path of layer.data ?? []) await copyFile(join(packages, path), await place(path));
  for (const [path, { content, mode }] of Object.entries(layer.files ?? {})) {
    await writeFile(await place(path), content, { mode });
  }
  for (const [path, { from, capability }] of Object.entries(layer.tools ?? {})) {
    await copyFile(from, await place(path));
    if (capability) await command(['setcap', capability, join(root, path)]);
  }
  for (const [path, target] of Object.entries(layer.links ?? {})) {
    await symlink(target, await place(path));
  }
  if (layer.certificates) {
    const bundle = await place('/etc/ssl/certs/ca-certificates.crt');
    await writeFile(bundle, await certificates(packages));
  }
  if (layer.busybox) await linkApplets(root);
}

async function linkApplets(root: string): Promise<void> {
  const list = await command([join(root, 'bin/busybox'), '--list']);
  for (const applet of list.split('\n').filter((name) => name && name !== 'busybox')) {
    await symlink('busybox', join(root, 'bin', applet)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}
