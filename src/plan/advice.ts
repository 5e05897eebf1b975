import type { Facts } from '../sandbox/facts.ts';

/** For most runners the quickest: root in a gVisor container is cheap to grant. */
export const RUN_AS_ROOT =
  'run the runner container as root (docker run --user root, or runAsUser: 0 with RUNNER_ALLOW_RUNASROOT=1)';

/** Where not even a user namespace can be made, a filter is at work. */
export const SECCOMP_ADVICE =
  'a seccomp profile refuses namespaces; run runsc without --oci-seccomp, or the container with --security-opt seccomp=unconfined (Kubernetes: seccompProfile: { type: Unconfined })';

const HELPER = '/usr/local/bin/k3s-in-gvisor-idmap';

/** The lines of a Dockerfile that let a runner stay who it is. */
const ADD_HELPER = [
  'USER root',
  `ADD --chmod=755 https://github.com/k3s-in-gvisor/k3s-in-gvisor/raw/v1/dist/native/linux-x64/idmap ${HELPER}`,
  `RUN ${HELPER} install ${HELPER}`,
  'USER runner',
]
  .map((line) => `"${line}"`)
  .join(', ');

/** What needs no change of the runner, and is less. */
const ONE_ID =
  "give the action id-map-helper: none, with which every pod runs with the runner's own id";

/** What to change where nothing maps the ids of others for a runner that is not root: the very line. */
export function everyIdAdvice({ fileCapabilities, user }: Facts): string {
  if (user.uid === 0) {
    return 'give the container the capabilities SETUID and SETGID, which Docker and containerd grant by default';
  }
  if (fileCapabilities.result === 'no') {
    return `no program can help here (${fileCapabilities.evidence}): take "allowPrivilegeEscalation: false" and "capabilities: drop" out of the container's securityContext (docker: --security-opt no-new-privileges, --cap-drop), or add the capabilities SETUID, SETGID and SETFCAP; then add the helper of docs/runners.md to the image, or ${RUN_AS_ROOT}, or ${ONE_ID}`;
  }
  return `add to the runner's Dockerfile ${ADD_HELPER} (docs/runners.md has the same as an init container), or ${RUN_AS_ROOT}, or ${ONE_ID}`;
}

/** With some pods; k3s alone takes half of it. */
const MEMORY_NEEDED = 2 * 2 ** 30;

/** Before it is used up: then the kernel below kills gVisor, and with it whatever could tell. */
export function memoryAdvice({ memory }: Facts): string[] {
  return memory >= MEMORY_NEEDED
    ? []
    : [
        `This container has ${Math.floor(memory / 2 ** 20)} MiB of memory, and a cluster with its images and pods needs about 2 GiB. Where it runs out, the whole container is killed with signal 9 (exit code 137), runner and logs with it: give it more (docker run --memory, or resources.limits.memory)`,
      ];
}
