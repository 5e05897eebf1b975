/*
 * What this machine allows, found by attempting it. Every probe is one entry of the table in
 * table.c and one function in probes/, whose comment says what fails without it.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "lib/failure.h"

#include <stddef.h>
#include <sys/types.h>

/** What an attempt may use, and where it says what it found. */
struct attempt {
	const char *scratch;    /**< a directory on the runner's disk, empty, ours */
	const char *sysctl;     /**< path below /proc/sys, only for probe_sysctl */
	char found[256];        /**< evidence of a success, where there is more to say than yes */
	struct failure failure; /**< evidence of a failure */
};

/** 0: it can be done. Otherwise -errno, with attempt->failure filled in. */
typedef int probe_function(struct attempt *attempt);

/** Where a probe is attempted. */
enum place {
	PLACE_RUNNER,      /**< in the runner's namespaces as they are */
	PLACE_NAMESPACES,  /**< in new ones, without a user namespace */
	PLACE_USER_ALL,    /**< in new ones with a user namespace of all ids but the last */
	PLACE_USER,        /**< in new ones with a user namespace of 65536 ids */
	PLACE_USER_MAPPED, /**< in new ones with a user namespace that another program maps */
	PLACE_USER_SINGLE, /**< in new ones with a user namespace in which only our own id exists */
	PLACE_BEST,        /**< in the first of those above that can be made */
};

struct probe {
	const char *name;
	enum place place;
	probe_function *attempt;
};

extern const struct probe probes[];
extern const size_t probe_count;

probe_function probe_mount, probe_namespaces;
probe_function probe_tmpfs, probe_tmpfs_limits, probe_proc, probe_bind_proc_sys,
    probe_overlay_proc_sys, probe_rshared, probe_pivot_root, probe_mknod;
probe_function probe_overlay_root, probe_overlay_disk;
probe_function probe_bridge, probe_veth, probe_iptables_nat, probe_output_dnat, probe_packet_socket,
    probe_tun;
probe_function probe_cgroup_v1_inherited, probe_cgroup_v1_mount, probe_cgroup_v2_inherited,
    probe_cgroup_v2_mount;
probe_function probe_kmsg, probe_oom_score, probe_session_keyring, probe_seccomp_trace,
    probe_sysctl;

#endif
