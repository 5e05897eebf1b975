#include "interceptor/sysctls.h"

#define IPV4_CONF(interface)                                                                       \
	{"/proc/sys/net/ipv4/conf/" interface "/forwarding", "1\n"},                               \
	    {"/proc/sys/net/ipv4/conf/" interface "/route_localnet", "0\n"},                       \
	    {"/proc/sys/net/ipv4/conf/" interface "/rp_filter", "0\n"},                            \
	    {"/proc/sys/net/ipv4/conf/" interface "/accept_local", "0\n"},                         \
	{                                                                                          \
		"/proc/sys/net/ipv4/conf/" interface "/arp_notify", "0\n"                          \
	}

const struct sysctl sysctls[] = {
    /* What kubelet wants them to be (setupKernelTunables), so that it has nothing to write. */
    {"/proc/sys/vm/overcommit_memory", "1\n"},
    {"/proc/sys/vm/panic_on_oom", "0\n"},
    {"/proc/sys/kernel/panic", "10\n"},
    {"/proc/sys/kernel/panic_on_oops", "1\n"},
    {"/proc/sys/kernel/keys/root_maxkeys", "1000000\n"},
    {"/proc/sys/kernel/keys/root_maxbytes", "25000000\n"},
    /* Set by k3s (pkg/agent/syssetup) and kube-proxy (--conntrack-*); Linux's own defaults. */
    IPV4_CONF("all"),
    IPV4_CONF("default"),
    {"/proc/sys/net/ipv6/conf/all/forwarding", "0\n"},
    {"/proc/sys/net/ipv6/conf/default/forwarding", "0\n"},
    {"/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n"},
    {"/proc/sys/net/bridge/bridge-nf-call-ip6tables", "1\n"},
    {"/proc/sys/net/netfilter/nf_conntrack_max", "262144\n"},
    {"/proc/sys/net/netfilter/nf_conntrack_buckets", "65536\n"},
    {"/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established", "432000\n"},
    {"/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait", "60\n"},
    /* gVisor lets anybody bind any port and open ping sockets: the truth, in Linux's words. */
    {"/proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n"},
    {"/proc/sys/net/ipv4/ping_group_range", "0\t2147483647\n"},
    /* gVisor has no limit of its own on watches; what current kernels give. */
    {"/proc/sys/fs/inotify/max_user_instances", "8192\n"},
    {"/proc/sys/fs/inotify/max_user_watches", "1048576\n"},
    {"/proc/sys/fs/inotify/max_queued_events", "16384\n"},
    /* runc writes it for a pod with this safe sysctl (Kubernetes pkg/kubelet/sysctl). */
    {"/proc/sys/kernel/shm_rmid_forced", "0\n"},
    {0},
};
