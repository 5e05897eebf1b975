/** The state's key in GITHUB_STATE: the run's own directory, from which post knows the rest. */
export const STATE_DIRECTORY = 'directory';

/** `true` where the post step leaves the cluster to the next job. */
export const STATE_KEEP = 'keep';

/** What the post step saves to the cache service: JSON, a list of { path, key }. */
export const STATE_CACHES = 'caches';
