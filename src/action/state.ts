/** The state's key in GITHUB_STATE: the run's own directory, from which post knows the rest. */
export const STATE_DIRECTORY = 'directory';
