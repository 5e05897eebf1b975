/* CNI errors (https://www.cni.dev/docs/spec/#error). */
#ifndef CNI_ERROR_H
#define CNI_ERROR_H

#include "lib/failure.h"

enum cni_code {
	CNI_INCOMPATIBLE_VERSION = 1,
	CNI_UNKNOWN_CONTAINER = 3,
	CNI_INVALID_ENVIRONMENT = 4,
	CNI_IO = 5,
	CNI_DECODE = 6,
	CNI_INVALID_CONFIG = 7,
	CNI_TRY_AGAIN_LATER = 11,
	CNI_NOT_AVAILABLE = 50, /**< STATUS: an ADD would fail */
	/* From 100 on plugins choose for themselves. */
	CNI_NETWORK = 100,  /**< links, addresses, routes */
	CNI_CHECK = 101,    /**< what CHECK found is not what ADD made */
	CNI_DUPLICATE = 102 /**< ADD of what was added already */
};

struct cni_error {
	enum cni_code code;
	struct failure failure;
};

#endif
