import { compare, satisfies, validRange } from 'semver';
import { InputError } from '../errors.ts';

/** What `version` asks for. Only a tag says by itself which release that is. */
export type VersionRequest =
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'channel'; readonly name: string }
  | { readonly kind: 'range'; readonly range: string };

const TAG = /^v\d+\.\d+\.\d+(-rc\d+)?\+k3s(\d+)$/;
/** A tag as people have it: without the v, or of a container image, whose tags cannot hold a plus. */
const ALMOST_TAG = /^v?(\d+\.\d+\.\d+(?:-rc\d+)?)[+-](k3s\d+)$/;
const CHANNEL = /^(stable|latest|testing)$/;
const MINOR = /^v?(1\.\d+)$/;
/** What YAML makes of 1.30; no release of k3s is that old. */
const NUMBER = /^1\.\d$/;

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** @throws InputError if `text` is neither a tag, nor a channel, nor a range */
export function parseVersion(text: string): VersionRequest {
  const [, release, revision] = ALMOST_TAG.exec(text) ?? [];
  if (release !== undefined && revision !== undefined) {
    return { kind: 'tag', tag: `v${release}+${revision}` };
  }
  if (NUMBER.test(text)) {
    throw new InputError(
      `version: "${text}" is no release of k3s; YAML reads 1.30 as the number 1.3, so write it in quotes: '${text}0'`,
    );
  }
  const minor = MINOR.exec(text)?.[1];
  if (minor !== undefined) {
    return { kind: 'channel', name: `v${minor}` };
  }
  if (CHANNEL.test(text)) {
    return { kind: 'channel', name: text };
  }
  // The empty range means any version, to semver; here it is an input somebody forgot to fill.
  if (text !== '' && validRange(text) !== null) {
    return { kind: 'range', range: text };
  }
  throw new InputError(
    `version: "${text}" is not a k3s version; write a tag (v1.36.3+k3s1), a channel (stable, latest, v1.36) or a range (>=1.35 <1.37)`,
  );
}

/** How the request reads in a message. */
export function describeRequest(request: VersionRequest): string {
  return request.kind === 'tag'
    ? request.tag
    : `${request.kind} ${request.kind === 'channel' ? request.name : request.range}`;
}

/** Whether `tag` may stand in for `request` where nobody can say which release it means now. */
export function mayAnswer(request: VersionRequest, tag: string): boolean {
  if (request.kind === 'tag') {
    return tag === request.tag;
  }
  if (request.kind === 'range') {
    return satisfies(tag, request.range);
  }
  if (request.name === 'testing') {
    return true;
  }
  const isPrerelease = tag.includes('-rc');
  return !isPrerelease && (CHANNEL.test(request.name) || tag.startsWith(`${request.name}.`));
}

/** The newest of `tags`: by version, then by k3s's own number, which semver leaves out of account. */
export function newest(tags: readonly string[]): string | undefined {
  return [...tags].sort((a, b) => compare(b, a) || revision(b) - revision(a))[0];
}

function revision(tag: string): number {
  return Number(TAG.exec(tag)?.[2] ?? 0);
}
