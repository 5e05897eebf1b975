#include "idmap/capabilities.h"

#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The last because the map names root (user_namespaces(7)). All three are among the first 32. */
#define WANTED ((1U << CAP_SETUID) | (1U << CAP_SETGID) | (1U << CAP_SETFCAP))

bool capabilities_are_here(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & WANTED) == WANTED;
}

int capabilities_give(int fd, const char *path, struct failure *failure)
{
	struct vfs_cap_data data = {
	    .magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE),
	    .data = {{.permitted = htole32(WANTED)}},
	};

	if (fsetxattr(fd, "security.capability", &data, sizeof data, 0) != 0)
		return fail(failure, errno, "give capabilities to %s%s", path,
		            errno == EOPNOTSUPP
		                ? " (in gVisor an emptyDir holds them only with medium: Memory)"
		                : "");
	return 0;
}
