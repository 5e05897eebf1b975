import { errorMessage, InputError } from '../errors.ts';
import { describeRequest, isTag, mayAnswer, newest, type VersionRequest } from './version.ts';

/** Its answer is JSON, and has every channel. */
export const CHANNEL_SERVER = 'https://update.k3s.io/v1-release/channels';

/** A line of releases, such as `stable` or `v1.36`, and its newest one. */
export interface Channel {
  readonly name: string;
  readonly tag: string;
}

/** @throws if `text` is not a list of channels, as the channel server answers it */
export function parseChannels(text: string): Channel[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`it answered no JSON but ${JSON.stringify(text.slice(0, 80))}`);
  }
  const data = (answer as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) {
    throw new Error('its answer has no list "data"');
  }
  // Channels of before 2020 have tags of another form, and a channel may be empty.
  return (data as { id?: unknown; latest?: unknown }[]).flatMap(({ id, latest }) =>
    typeof id === 'string' && typeof latest === 'string' && isTag(latest)
      ? [{ name: id, tag: latest }]
      : [],
  );
}

/**
 * The release that `request` means, of those the channels name: each channel's newest, so a range
 * finds the newest patch of each minor version and no older one.
 */
export function chooseRelease(
  request: VersionRequest,
  channels: readonly Channel[],
): string | undefined {
  if (request.kind === 'channel') {
    return channels.find(({ name }) => name === request.name)?.tag;
  }
  return newest(channels.map(({ tag }) => tag).filter((tag) => mayAnswer(request, tag)));
}

export interface Resolver {
  /** @throws if the channel server cannot be asked */
  channels(): Promise<readonly Channel[]>;
  /** Tags that are at hand without a network. */
  cached(): Promise<readonly string[]>;
  warning(message: string): void;
}

/**
 * The exact tag of `request`. Where the channel server cannot be asked it is the newest cached one
 * that may stand in for it, with a warning.
 * @throws InputError if there is no such release
 */
export async function resolveTag(request: VersionRequest, resolver: Resolver): Promise<string> {
  if (request.kind === 'tag') {
    return request.tag;
  }
  const wanted = describeRequest(request);
  let channels: readonly Channel[];
  try {
    channels = await resolver.channels();
  } catch (error) {
    const cached = await resolver.cached();
    const tag = newest(cached.filter((candidate) => mayAnswer(request, candidate)));
    if (tag === undefined) {
      throw new Error(
        `Failed to find out which release ${wanted} is: ${errorMessage(error)}; the tool cache has ${cached.join(', ') || 'no release'}`,
        { cause: error },
      );
    }
    resolver.warning(
      `Using k3s ${tag} of the tool cache for ${wanted}: which release that is now could not be found out: ${errorMessage(error)}`,
    );
    return tag;
  }
  const tag = chooseRelease(request, channels);
  if (tag === undefined) {
    throw new InputError(
      `version: no release for ${wanted}; the channels have ${channels.map(({ name, tag }) => `${name} (${tag})`).join(', ')}; write any other release as its tag, such as ${exampleFor(request)}`,
    );
  }
  return tag;
}

/** What was most likely meant: "v1.34.1" is a release of Kubernetes, and k3s numbers its own of it. */
function exampleFor(request: VersionRequest): string {
  const release =
    request.kind === 'range' ? /^v?(\d+\.\d+\.\d+)$/.exec(request.range)?.[1] : undefined;
  return `v${release ?? '1.34.1'}+k3s1`;
}
