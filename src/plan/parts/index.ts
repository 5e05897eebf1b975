import { bridgeNetfilter } from './bridge-netfilter.ts';
import { cgroupControllers } from './cgroup-controllers.ts';
import { cgroupMount } from './cgroup-mount.ts';
import { cgroupRoot } from './cgroup-root.ts';
import { cgroupV1Accepted } from './cgroup-v1-accepted.ts';
import { controllerManagerRate } from './controller-manager-rate.ts';
import { dataTmpfs } from './data-tmpfs.ts';
import { gatewayNetwork } from './gateway-network.ts';
import { interceptor } from './interceptor.ts';
import { iptablesLegacy } from './iptables-legacy.ts';
import { localStorageIsolation } from './local-storage-isolation.ts';
import { machineId } from './machine-id.ts';
import { maskedDirectories } from './masked-directories.ts';
import { metricsApi } from './metrics-api.ts';
import { nodeResolver } from './node-resolver.ts';
import { oneId } from './one-id.ts';
import { openFiles } from './open-files.ts';
import { oomScore } from './oom-score.ts';
import { ownedDirectories } from './owned-directories.ts';
import { podSysctls } from './pod-sysctls.ts';
import { privateRoot } from './private-root.ts';
import { privateSysctls } from './private-sysctls.ts';
import { proxy } from './proxy.ts';
import { runnerHost } from './runner-host.ts';
import { runnerFiles } from './runner-files.ts';
import { sessionKeyring } from './session-keyring.ts';
import { singleProcessOomKill } from './single-process-oom-kill.ts';
import { sysctlOverlay } from './sysctl-overlay.ts';
import { sysctlValues } from './sysctl-values.ts';
import { temporaryMounts } from './temporary-mounts.ts';
import { unprivilegedPorts } from './unprivileged-ports.ts';
import { userNamespace } from './user-namespace.ts';
import type { Workaround } from '../part.ts';

/** In the order of their operations within a phase: a mount before what is written below it. */
export const WORKAROUNDS: readonly Workaround[] = [
  userNamespace,
  privateRoot,
  runnerFiles,
  ownedDirectories,
  sysctlOverlay,
  sysctlValues,
  interceptor,
  cgroupMount,
  cgroupControllers,
  cgroupRoot,
  cgroupV1Accepted,
  singleProcessOomKill,
  dataTmpfs,
  temporaryMounts,
  localStorageIsolation,
  unprivilegedPorts,
  oomScore,
  openFiles,
  oneId,
  sessionKeyring,
  maskedDirectories,
  podSysctls,
  privateSysctls,
  iptablesLegacy,
  machineId,
  gatewayNetwork,
  bridgeNetfilter,
  nodeResolver,
  runnerHost,
  metricsApi,
  proxy,
  controllerManagerRate,
];
