import { createHash } from 'node:crypto';
import { arch } from 'node:os';
import { releaseFiles } from '../../src/k3s/release.ts';
import { file, text, type WebServer } from './server.ts';

export const sha256 = (content: Buffer): string =>
  createHash('sha256').update(content).digest('hex');

/** A program that answers as k3s does where the supply asks it: its version, and unpacking itself. */
export function k3sScript(tag: string, padding = 200_000): Buffer {
  return Buffer.from(`#!/bin/sh
if [ "$1" = --version ]; then echo "k3s version ${tag} (test)"; exit; fi
data=$(sed -n 's/^data-dir: //p' "$K3S_CONFIG_FILE")/data
mkdir -p "$data/0123/bin"
echo config-v3.toml.d > "$data/0123/bin/k3s"
ln -sfn k3s "$data/0123/bin/kubectl"
ln -sfn "$data/0123" "$data/current"
exit
${'#'.repeat(padding)}
`);
}

export interface Release {
  readonly tag: string;
  readonly binary: Buffer;
  readonly airgapImages: Buffer;
  /** Paths on the server. */
  readonly paths: { readonly binary: string; readonly airgapImages: string; readonly sums: string };
}

const files = releaseFiles(arch());

/** Publishes a release on `server`, below /download, as k3s does. */
export function publish(server: WebServer, tag: string, binary = k3sScript(tag)): Release {
  const airgapImages = Buffer.from(`images of ${tag}`);
  const path = (name: string): string => `/download/${encodeURIComponent(tag)}/${name}`;
  const paths = {
    binary: path(files.binary),
    airgapImages: path(files.airgapImages),
    sums: path(files.sums),
  };
  server.answer(paths.binary, file(binary));
  server.answer(paths.airgapImages, file(airgapImages));
  server.answer(
    paths.sums,
    text(`${sha256(airgapImages)}  ${files.airgapImages}\n${sha256(binary)}  ${files.binary}\n`),
  );
  return { tag, binary, airgapImages, paths };
}

/** Publishes channels as the channel server does: name and newest tag. */
export function publishChannels(
  server: WebServer,
  channels: Readonly<Record<string, string>>,
): void {
  const data = Object.entries(channels).map(([id, latest]) => ({
    id,
    type: 'channel',
    name: id,
    latest,
  }));
  server.answer('/channels', text(JSON.stringify({ type: 'collection', data })));
}
