/* The kernel settings that Kubernetes, k3s and containerd ask for and gVisor lacks. */
#ifndef INTERCEPTOR_SYSCTLS_H
#define INTERCEPTOR_SYSCTLS_H

struct sysctl {
	const char *path;
	const char *value; /**< as read from the file, with its newline */
};

/** Ends with a NULL path. */
extern const struct sysctl sysctls[];

#endif
