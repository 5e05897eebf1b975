#include "cni/loopback.h"

#include "cni/pod.h"
#include "cni/result.h"
#include "lib/cleanup.h"

#include <errno.h>

static int enter(const struct request *request, struct cni_error *error)
{
	cleanup_fd int netns = pod_open_netns(request->netns, error);

	return netns < 0 ? netns : pod_enter(netns, request->netns, error);
}

int loopback_add(const struct config *config, const struct request *request,
                 struct cni_error *error)
{
	cleanup_fd int inside = enter(request, error);
	int result = inside < 0 ? inside : pod_bring_up_loopback(inside, error);

	if (result == 0)
		result_print_loopback(stdout, config, request->netns);
	return result;
}

int loopback_check(const struct request *request, struct cni_error *error)
{
	cleanup_fd int inside = enter(request, error);
	struct link link;
	int result = inside < 0 ? inside : link_find(inside, "lo", &link);

	if (inside < 0)
		return result;
	if (result == 0 && link.up)
		return 0;
	error->code = CNI_CHECK;
	return fail(&error->failure, result != 0 ? -result : ENETDOWN, "find lo up in %s",
	            request->netns);
}
