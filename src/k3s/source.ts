import type { VersionRequest } from './version.ts';

/** Where the k3s binary comes from. */
export type Source =
  | { readonly kind: 'release'; readonly version: VersionRequest }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly checksum: string };
