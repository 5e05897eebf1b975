#include "probe/probe.h"

/* The namespaces come before what is attempted in the best of them. */
const struct probe probes[] = {
    {"mount", PLACE_RUNNER, probe_mount},
    {"namespaces", PLACE_NAMESPACES, probe_namespaces},
    {"user-namespace-all", PLACE_USER_ALL, probe_namespaces},
    {"user-namespace", PLACE_USER, probe_namespaces},
    {"user-namespace-mapped", PLACE_USER_MAPPED, probe_namespaces},
    {"user-namespace-single", PLACE_USER_SINGLE, probe_namespaces},
    {"tmpfs", PLACE_BEST, probe_tmpfs},
    {"tmpfs-limits", PLACE_BEST, probe_tmpfs_limits},
    {"proc", PLACE_BEST, probe_proc},
    {"bind-proc-sys", PLACE_BEST, probe_bind_proc_sys},
    {"overlay-proc-sys", PLACE_BEST, probe_overlay_proc_sys},
    {"overlay-root", PLACE_BEST, probe_overlay_root},
    {"overlay-disk", PLACE_BEST, probe_overlay_disk},
    {"rshared", PLACE_BEST, probe_rshared},
    {"pivot-root", PLACE_BEST, probe_pivot_root},
    {"mknod", PLACE_BEST, probe_mknod},
    {"bridge", PLACE_BEST, probe_bridge},
    {"veth", PLACE_BEST, probe_veth},
    {"iptables-nat", PLACE_BEST, probe_iptables_nat},
    {"output-dnat", PLACE_BEST, probe_output_dnat},
    {"packet-socket", PLACE_BEST, probe_packet_socket},
    {"tun", PLACE_BEST, probe_tun},
    {"cgroup-v1-inherited", PLACE_BEST, probe_cgroup_v1_inherited},
    {"cgroup-v1-mount", PLACE_BEST, probe_cgroup_v1_mount},
    {"cgroup-v2-inherited", PLACE_BEST, probe_cgroup_v2_inherited},
    {"cgroup-v2-mount", PLACE_BEST, probe_cgroup_v2_mount},
    {"kmsg", PLACE_BEST, probe_kmsg},
    {"oom-score", PLACE_BEST, probe_oom_score},
    {"session-keyring", PLACE_USER, probe_session_keyring},
    {"seccomp-trace", PLACE_RUNNER, probe_seccomp_trace},
};

const size_t probe_count = sizeof probes / sizeof probes[0];
