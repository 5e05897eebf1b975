/*
 * Init containers of charts write kernel parameters (sysctl -w vm.max_map_count=262144) and compare
 * them with what they need (fs.file-max). gVisor lacks some of the files, others cannot be written,
 * and those below net that can be are the whole sandbox's, the runner included. A container that
 * may write gets a view of its own: what is missing is there, and what it writes stays in it.
 */
#include "adapter/workaround.h"

int private_sysctls(struct adaptation *adaptation, struct failure *failure)
{
	const struct container *container = adaptation->container;

	(void)failure;
	if (container->writes_sysctls && container->sandbox != NULL && !container->is_sandbox)
		adaptation->needs_writable_sysctls = true;
	return 0;
}
