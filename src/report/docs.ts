/** Where docs/troubleshooting.md says more of a heading. */
export type DocsLink = (heading: string) => string;

const FILE = 'docs/troubleshooting.md';

/** GitHub's anchor of a heading: lower case, blanks as dashes, no punctuation. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** By the repository and the ref the action was taken from, as the runner names them; else the file's own path. */
export function docsLink(environment: NodeJS.ProcessEnv): DocsLink {
  const {
    GITHUB_SERVER_URL: server,
    GITHUB_ACTION_REPOSITORY: repository,
    GITHUB_ACTION_REF: ref,
  } = environment;
  const base = server && repository && ref ? `${server}/${repository}/blob/${ref}/${FILE}` : FILE;
  return (heading) => `${base}#${anchorOf(heading)}`;
}
