// SPDX-License-Identifier: LGPL-2.1
/* CXL regions, as the kernel's own CXL stack makes them; through libcxl. */
#include <cxl/libcxl.h>

#include "private.h"

#define CXL_FUNCTIONS(X)		\
	X(cxl_new)			\
	X(cxl_unref)			\
	X(cxl_set_log_priority)		\
	X(cxl_memdev_get_first)		\
	X(cxl_memdev_get_next)		\
	X(cxl_memdev_get_host)		\
	X(cxl_memdev_get_endpoint)	\
	X(cxl_endpoint_get_port)	\
	X(cxl_decoder_get_first)	\
	X(cxl_decoder_get_next)		\
	X(cxl_decoder_get_region)	\
	X(cxl_region_get_devname)	\
	X(cxl_region_decode_is_committed)

LAZY_LIBRARY(cxl, CXL_FUNCTIONS, "libcxl.so.1")

static struct cxl_memdev *find(const struct cxl *api, struct cxl_ctx *ctx, const char *pci)
{
	struct cxl_memdev *memdev;

	for (memdev = api->cxl_memdev_get_first(ctx); memdev;
	     memdev = api->cxl_memdev_get_next(memdev))
		if (!strcmp(api->cxl_memdev_get_host(memdev), pci))
			return memdev;
	return NULL;
}

int region_of_function(struct cxlmem_ctx *ctx, const char *pci, char *name, size_t size)
{
	struct cxl_endpoint *endpoint;
	struct cxl_decoder *decoder;
	struct cxl_memdev *memdev;
	struct cxl_region *region;
	struct cxl_ctx *cxl;
	struct cxl api;
	int rc;

	/* libcxl reads the real sysfs only; and without the CXL bus there are no regions. */
	if (ctx->fake || !sysfs_exists(ctx, "sys/bus/cxl/devices"))
		return 0;
	rc = load_cxl(ctx, &api);
	if (rc)
		return rc;
	rc = api.cxl_new(&cxl);
	if (rc)
		return fail(ctx, -rc, "libcxl does not work: %s", strerror(-rc));
	api.cxl_set_log_priority(cxl, -1);

	memdev = find(&api, cxl, pci);
	endpoint = memdev ? api.cxl_memdev_get_endpoint(memdev) : NULL;
	decoder = endpoint ? api.cxl_decoder_get_first(api.cxl_endpoint_get_port(endpoint)) : NULL;
	for (; decoder && !rc; decoder = api.cxl_decoder_get_next(decoder)) {
		region = api.cxl_decoder_get_region(decoder);
		if (!region || api.cxl_region_decode_is_committed(region) <= 0)
			continue;
		snprintf(name, size, "%s", api.cxl_region_get_devname(region));
		rc = 1;
	}
	api.cxl_unref(cxl);
	return rc;
}
