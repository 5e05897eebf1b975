/** A literal error, or a pattern of it, and what a user can do about it. */
interface Hint {
  readonly pattern: RegExp;
  readonly advice: string;
}

const HINTS: readonly Hint[] = [
  {
    pattern: /no space left on device/i,
    advice:
      'The disk or a tmpfs is full: containerd keeps images in memory here; give the container more memory or load fewer images.',
  },
  {
    pattern: /unknown flag|flag provided but not defined/i,
    advice:
      'k3s does not know a flag it was given: look at k3s-args, and at whether this version has it.',
  },
  {
    pattern: /(ErrImagePull|ImagePullBackOff|failed to pull)/,
    advice:
      'An image could not be pulled: the runner may have no way to its registry; give the images as tars with the input images.',
  },
  {
    pattern: /address already in use/i,
    advice: 'A port is taken on the runner: another cluster or service listens there.',
  },
  {
    pattern: /panicked|fatal error: out of memory|cannot allocate memory|signal killed/i,
    advice: 'The sandbox ran out of memory: a cluster needs about 2 GiB.',
  },
  {
    pattern: /Failed to start ContainerManager/,
    advice:
      'The kubelet lacks something of the kernel: please report this with the list of facts above.',
  },
];

/** The advice for each known error that `log` contains, in the order of the table. */
export function findHints(log: string): string[] {
  return HINTS.flatMap(({ pattern, advice }) => (pattern.test(log) ? [advice] : []));
}
