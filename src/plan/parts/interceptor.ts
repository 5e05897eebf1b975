import { chooseKernelSettings } from '../kernel-settings.ts';
import { WITH_NODE, type Workaround } from '../part.ts';

/**
 * For sandboxes that refuse every mount: the calls that take a path stop in a tracer, which sends
 * those for missing files to files that stand for them (native/interceptor).
 */
export const interceptor: Workaround = {
  id: 'interceptor',
  kind: 'workaround',
  where: { modes: WITH_NODE },
  symptom:
    'Failed to start ContainerManager: open /proc/sys/vm/panic_on_oom: no such file or directory; mount: Operation not permitted',
  source: 'https://man7.org/linux/man-pages/man2/ptrace.2.html',
  removeWhen: 'gVisor has the files the kubelet demands',
  needed: ({ facts, isolation, sysctls }) => {
    if (chooseKernelSettings(facts, isolation, sysctls) !== 'traced') {
      return undefined;
    }
    if (sysctls === 'ptrace') {
      return 'the input sysctls asks for it';
    }
    return isolation === 'none'
      ? 'nothing can be mounted here, so missing files are answered as they are opened'
      : `no overlay takes /proc/sys (${facts.probes['overlay-proc-sys'].evidence}), so missing files are answered as they are opened`;
  },
  contribute: ({ layout }) => ({
    operations: { files: [['directory', layout.answers, '0755']] },
    wrapper: [layout.interceptor, '--root', layout.answers, '--'],
  }),
};
