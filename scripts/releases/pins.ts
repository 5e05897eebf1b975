import { newest } from '../../src/k3s/version.ts';

/** The minor versions of Kubernetes that CI runs the official k3s of. */
export const SUPPORTED_MINORS = ['1.35', '1.36', '1.37'] as const;

type Pins = Readonly<Record<string, unknown>>;

/**
 * The newest pinned release of each supported minor version.
 * @throws if there is none of one: CI runs nothing that nobody reviewed
 */
export function pinnedOfEachMinor(checksums: Pins, minors: readonly string[]): string[] {
  return minors.map((minor) => {
    const tag = newest(Object.keys(checksums).filter((tag) => tag.startsWith(`v${minor}.`)));
    if (tag === undefined) {
      throw new Error(
        `Failed to find a k3s ${minor} to test: src/k3s/checksums.json pins none; merge the pull request of the workflow "Refresh checksums"`,
      );
    }
    return tag;
  });
}

/** @throws if what users get without asking for a version is not pinned */
export function assertDefaultIsPinned(checksums: Pins, tag: string): void {
  if (!(tag in checksums)) {
    throw new Error(
      `Failed to release: ${tag} is action.yml's default, and src/k3s/checksums.json has no hash of it; merge the pull request of the workflow "Refresh checksums"`,
    );
  }
}
