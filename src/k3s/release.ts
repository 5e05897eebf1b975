/** Where k3s publishes its releases; a mirror has the same paths below its own address. */
export const RELEASES = 'https://github.com/k3s-io/k3s/releases/download';

/** The names of a release's files for one architecture. */
export interface ReleaseFiles {
  readonly binary: string;
  readonly airgapImages: string;
  /** What sha256sum printed of the files above. */
  readonly sums: string;
}

const FILES: Readonly<Record<string, ReleaseFiles>> = {
  x64: {
    binary: 'k3s',
    airgapImages: 'k3s-airgap-images-amd64.tar.zst',
    sums: 'sha256sum-amd64.txt',
  },
  arm64: {
    binary: 'k3s-arm64',
    airgapImages: 'k3s-airgap-images-arm64.tar.zst',
    sums: 'sha256sum-arm64.txt',
  },
};

export const ARCHITECTURES = Object.keys(FILES);

/**
 * @param arch Node's name of the architecture
 * @throws if k3s is not used on it here
 */
export function releaseFiles(arch: string): ReleaseFiles {
  const files = FILES[arch];
  if (files === undefined) {
    throw new Error(
      `Failed to find a k3s for ${arch}: releases are used for ${ARCHITECTURES.join(', ')}`,
    );
  }
  return files;
}

/** @param base the address below which each tag has a directory, without a slash at its end */
export function releaseUrl(base: string, tag: string, file: string): string {
  return `${base}/${encodeURIComponent(tag)}/${file}`;
}
