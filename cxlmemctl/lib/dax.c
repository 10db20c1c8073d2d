// SPDX-License-Identifier: LGPL-2.1
/*
 * dax devices of the kernel's own drivers (CXL regions, hmem). They are read
 * from sysfs like ours, which takes a fraction of libdaxctl's time, and
 * switched between drivers by libdaxctl.
 */
#include <daxctl/libdaxctl.h>

#include "private.h"

#define DAXCTL_FUNCTIONS(X)		\
	X(daxctl_new)			\
	X(daxctl_unref)			\
	X(daxctl_set_log_priority)	\
	X(daxctl_region_get_first)	\
	X(daxctl_region_get_next)	\
	X(daxctl_dev_get_first)		\
	X(daxctl_dev_get_next)		\
	X(daxctl_dev_get_devname)	\
	X(daxctl_dev_is_enabled)	\
	X(daxctl_dev_disable)		\
	X(daxctl_dev_enable_ram)

LAZY_LIBRARY(daxctl, DAXCTL_FUNCTIONS, "libdaxctl.so.1")

/* The mode is the driver; without one nobody uses the memory. */
static const struct {
	const char *driver;
	const char *mode;
} modes[] = {
	{ "kmem",	"system" },
	{ "device_dax",	"devdax" },
	{ "",		"offline" },
};

/* As the kernel does it: what is not a whole memory block is left out. */
static void find_usable(struct cxlmem_device *dev)
{
	uint64_t block = block_size(dev->ctx), end = dev->range.start + dev->range.size;

	dev->usable.start = dev->usable.size = 0;
	if (!block || !dev->range.start || end < dev->range.start)
		return;
	dev->usable.start = (dev->range.start + block - 1) / block * block;
	if (dev->usable.start >= dev->range.start && end / block * block > dev->usable.start)
		dev->usable.size = end / block * block - dev->usable.start;
}

/* There is no setting for the zone: it shows in the blocks that are online. */
static void find_zone(struct cxlmem_device *dev)
{
	struct blocks blocks;
	size_t i;

	strcpy(dev->zone, "movable");
	if (strcmp(dev->mode, "system") || !dev->usable.size || blocks_read(dev, &blocks))
		return;
	for (i = 0; i < blocks.nr; i++)
		if (blocks.v[i].state == BLOCK_ONLINE &&
		    !block_is_movable(dev->ctx, blocks.v[i].index))
			strcpy(dev->zone, "kernel");
	free(blocks.v);
}

static int dax_read(struct cxlmem_device *dev)
{
	struct cxlmem_ctx *ctx = dev->ctx;
	uint64_t number;
	size_t i;

	/* A region's seed has no size yet, and is no device for us. */
	if (sysfs_read_number(ctx, &dev->range.size, "%s/size", dev->dir) || !dev->range.size)
		return -ENODEV;
	/* Root only, hence unknown to others. */
	if (sysfs_read_number(ctx, &dev->range.start, "%s/resource", dev->dir))
		dev->range.start = 0;
	find_usable(dev);

	dev->node = -1;
	if (!sysfs_read_number(ctx, &number, "%s/target_node", dev->dir) && number < MAX_NODES)
		dev->node = number;
	dev->memmap = -1;
	if (!sysfs_read_number(ctx, &number, "%s/memmap_on_memory", dev->dir))
		dev->memmap = number != 0;

	if (sysfs_link(ctx, dev->driver, sizeof(dev->driver), "%s/driver", dev->dir))
		dev->driver[0] = '\0';
	if (sysfs_link_parent(ctx, dev->parent, sizeof(dev->parent), "%s", dev->dir))
		dev->parent[0] = '\0';
	strcpy(dev->mode, "unknown");
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(dev->driver, modes[i].driver))
			strcpy(dev->mode, modes[i].mode);
	strcpy(dev->modes, "offline system");
	dev->lend = -1;
	find_zone(dev);
	return 0;
}

/* Nothing can be said about these devices in the node's place. */
static int dax_configure(struct transition *t)
{
	struct cxlmem_device *dev = t->dev;
	int rc;

	if (t->want.node != dev->node)
		return fail(t->ctx, EOPNOTSUPP,
			    "%s is on node %d; the node of a dax device cannot be set", dev->name,
			    dev->node);
	if (t->want.memmap == dev->memmap)
		return 0;
	rc = sysfs_write(t->ctx, t->want.memmap ? "1" : "0", "%s/memmap_on_memory", dev->dir);
	if (rc)
		return fail(t->ctx, -rc, "%s: the kernel cannot set where the memory map is: %s",
			    dev->name, strerror(-rc));
	return 0;
}

static struct daxctl_dev *find(const struct daxctl *api, struct daxctl_ctx *ctx, const char *name)
{
	struct daxctl_region *region;
	struct daxctl_dev *dev;

	for (region = api->daxctl_region_get_first(ctx); region;
	     region = api->daxctl_region_get_next(region))
		for (dev = api->daxctl_dev_get_first(region); dev;
		     dev = api->daxctl_dev_get_next(dev))
			if (!strcmp(api->daxctl_dev_get_devname(dev), name))
				return dev;
	return NULL;
}

/* Takes the device from its driver, and gives it to kmem if @ram. */
static int switch_driver(struct transition *t, bool ram)
{
	const char *name = t->dev->name;
	struct daxctl_ctx *daxctl;
	struct daxctl_dev *dev;
	struct daxctl api;
	int rc;

	rc = load_daxctl(t->ctx, &api);
	if (rc)
		return rc;
	t->touched = true;
	rc = api.daxctl_new(&daxctl);
	if (rc)
		return fail(t->ctx, -rc, "libdaxctl does not work: %s", strerror(-rc));
	/* Its messages would go to stderr. */
	api.daxctl_set_log_priority(daxctl, -1);

	dev = find(&api, daxctl, name);
	if (!dev) {
		rc = fail(t->ctx, ENODEV, "%s is gone", name);
	} else {
		if (api.daxctl_dev_is_enabled(dev))
			rc = api.daxctl_dev_disable(dev);
		if (!rc && ram)
			rc = api.daxctl_dev_enable_ram(dev);
		if (rc)
			fail(t->ctx, -rc, "%s: the kernel's driver %s it: %s", name,
			     ram ? "kmem does not take" : "does not let go of", strerror(-rc));
	}
	api.daxctl_unref(daxctl);
	return rc;
}

/* kmem lets the kernel's policy choose the zone; what is asked for may be another one. */
static int dax_add(struct transition *t, const char *mode)
{
	struct policy policy;
	int rc;

	(void)mode;	/* there is one */
	if (!strcmp(t->want.zone, "kernel"))
		return switch_driver(t, true);
	rc = policy_hold(t, "online_movable", &policy);
	if (rc)
		return rc;
	rc = switch_driver(t, true);
	policy_release(t, &policy);
	return rc;
}

static int dax_remove(struct transition *t)
{
	int rc;

	if (!strcmp(t->dev->mode, "devdax")) {
		if (!(t->opt.flags & CXLMEM_FORCE))
			return fail(t->ctx, EBUSY,
				    "%s is in mode devdax and programs may be using it; --force takes it from them",
				    t->dev->name);
		return switch_driver(t, false);
	}
	rc = blocks_offline(t);
	if (rc < 0 || rc == CXLMEM_PARTLY)
		return rc;
	return switch_driver(t, false);
}

const struct backend backend_dax = {
	.kind = "dax",
	.class = "sys/bus/dax/devices",
	.prefix = "dax",
	.read = dax_read,
	.configure = dax_configure,
	.add = dax_add,
	.remove = dax_remove,
};
