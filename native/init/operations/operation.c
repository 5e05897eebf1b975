#include "init/operations/operation.h"

#include <stddef.h>
#include <string.h>

static const struct operation_type types[] = {
    {"directory", 2, operation_directory},
    {"write", 3, operation_write},
    {"set", 2, operation_set},
    {"copy", 3, operation_copy},
    {"symlink", 2, operation_symlink},
    {"mount", 5, operation_mount},
    {"bind", 3, operation_bind},
    {"propagation", 2, operation_propagation},
    {"propagation-here", 2, operation_propagation_here},
    {"unmount", 1, operation_unmount},
    {"pivot", 1, operation_pivot},
    {"remove-group", 1, operation_remove_group},
    {"hostname", 1, operation_hostname},
    {"open-files", 1, operation_open_files},
    {"one-id", 0, operation_one_id},
    {"link-up", 1, operation_link_up},
    {"bridge", 1, operation_bridge},
    {"port", 3, operation_port},
    {"distant-port", 5, operation_distant_port},
    {"default-route", 2, operation_default_route},
    {"environment", 2, operation_environment},
    {"process", 3, operation_process},
    {"argument", 2, operation_argument},
    {"process-environment", 3, operation_process_environment},
    {"uplink", 1, operation_uplink},
    {"start", 1, operation_start},
    {"await", 1, operation_await},
    {"ready", 0, operation_ready},
};

const struct operation_type *operation_find(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}
