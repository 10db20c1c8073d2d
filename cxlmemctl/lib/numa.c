// SPDX-License-Identifier: LGPL-2.1
/* Memory policy of the calling thread, through libnuma. */
#include <numa.h>

#include "private.h"

#define NUMA_FUNCTIONS(X)		\
	X(numa_available)		\
	X(numa_allocate_nodemask)	\
	X(numa_bitmask_setbit)		\
	X(numa_bitmask_free)		\
	X(numa_set_membind)		\
	X(numa_set_preferred)

LAZY_LIBRARY(numa, NUMA_FUNCTIONS, "libnuma.so.1")

EXPORT int cxlmem_device_bind_memory(struct cxlmem_device *dev, bool prefer)
{
	struct bitmask *nodes;
	struct numa api;
	int rc;

	if (!dev->online || dev->node < 0)
		return fail(dev->ctx, ENXIO,
			    "none of %s's memory is on line; \"cxlmemctl online %s\" puts it there",
			    dev->name, dev->name);
	rc = load_numa(dev->ctx, &api);
	if (rc)
		return rc;
	if (api.numa_available() < 0)
		return fail(dev->ctx, ENOSYS, "this kernel knows no NUMA nodes");

	errno = 0;
	if (prefer) {
		api.numa_set_preferred(dev->node);
	} else {
		nodes = api.numa_allocate_nodemask();
		api.numa_bitmask_setbit(nodes, dev->node);
		api.numa_set_membind(nodes);
		api.numa_bitmask_free(nodes);
	}
	if (errno)
		return fail(dev->ctx, errno, "%s: the kernel refuses node %d: %s", dev->name,
			    dev->node, strerror(errno));
	return 0;
}
