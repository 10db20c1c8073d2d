// SPDX-License-Identifier: LGPL-2.1
/* Finding devices and what is known about them. */
#include "private.h"

static const struct backend *const backends[] = {
	&backend_cxlmem,
	&backend_dax,
};

struct scan {
	struct cxlmem_ctx *ctx;
	const struct backend *backend;
};

/* Keeps the list ordered: by backend, then by number (2 before 10). */
static void insert(struct cxlmem_ctx *ctx, struct cxlmem_device *dev)
{
	struct cxlmem_device **at = &ctx->devices;

	while (*at && ((*at)->backend != dev->backend || (*at)->number < dev->number))
		at = &(*at)->next;
	dev->next = *at;
	*at = dev;
}

static int add_device(const char *name, void *data)
{
	struct scan *scan = data;
	struct cxlmem_device *dev;
	uint64_t number;

	if (strlen(name) >= NAME_LEN || parse_suffix(name, scan->backend->prefix, &number)) {
		/* dax devices have two numbers, "dax1.0": the region's and their own. */
		char *dot = strchr(name, '.');

		if (!dot || strlen(name) >= NAME_LEN || strncmp(name, "dax", 3) ||
		    strcmp(scan->backend->prefix, "dax"))
			return 0;
		number = strtoul(name + 3, NULL, 10) << 32 | (uint32_t)strtoul(dot + 1, NULL, 10);
	}
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	dev->ctx = scan->ctx;
	dev->backend = scan->backend;
	dev->number = number;
	strcpy(dev->name, name);
	snprintf(dev->dir, sizeof(dev->dir), "%s/%s", scan->backend->class, name);
	/* One that goes away while we look is not there. */
	if (cxlmem_device_refresh(dev))
		free(dev);
	else
		insert(scan->ctx, dev);
	return 0;
}

EXPORT struct cxlmem_device *cxlmem_device_get_first(struct cxlmem_ctx *ctx)
{
	size_t i;

	if (!ctx->scanned) {
		for (i = 0; i < ARRAY_SIZE(backends); i++) {
			struct scan scan = { ctx, backends[i] };

			/* No such directory means no such driver, hence no devices. */
			if (sysfs_each(ctx, backends[i]->class, add_device, &scan) == -ENOMEM) {
				fail(ctx, ENOMEM, "not enough memory to list the devices");
				return NULL;
			}
		}
		ctx->scanned = true;
	}
	return ctx->devices;
}

EXPORT struct cxlmem_device *cxlmem_device_get_next(struct cxlmem_device *dev)
{
	return dev->next;
}

/* Its memory blocks are the system's, or can be. */
bool device_has_blocks(const struct cxlmem_device *dev)
{
	return !strcmp(dev->mode, "system") || !strcmp(dev->mode, "cma");
}

/* The system has all that is on line; what mode "cma" keeps does not go off line by itself. */
bool device_is_lent(const struct cxlmem_device *dev)
{
	return !strcmp(dev->mode, "system") ||
	       (!strcmp(dev->mode, "cma") && dev->lend > 0 && !dev->claimed);
}

static void read_blocks(struct cxlmem_device *dev)
{
	struct blocks blocks;
	size_t i;

	dev->online = 0;
	dev->offline = 0;
	dev->blocks_known = false;
	/* Of dax devices only root may know the range. */
	if (!device_has_blocks(dev) || !dev->usable.size || blocks_read(dev, &blocks))
		return;
	dev->blocks_known = true;
	for (i = 0; i < blocks.nr; i++) {
		if (blocks.v[i].state == BLOCK_ONLINE)
			dev->online += blocks.size;
		else
			dev->offline += blocks.size;
	}
	free(blocks.v);
}

int device_read_attributes(struct cxlmem_device *dev)
{
	dev->bad = NULL;
	dev->node_read = false;
	if (dev->backend->read(dev))
		return fail(dev->ctx, ENODEV, "%s is gone", dev->name);
	return 0;
}

EXPORT int cxlmem_device_refresh(struct cxlmem_device *dev)
{
	int rc = device_read_attributes(dev);

	if (!rc)
		read_blocks(dev);
	return rc;
}

int device_check(struct cxlmem_device *dev)
{
	if (!dev->bad)
		return 0;
	return fail(dev->ctx, EPROTO,
		    "the kernel's attribute /%s/%s makes no sense; cxlmemctl and the driver may be of different versions",
		    dev->dir, dev->bad);
}

bool device_has_mode(struct cxlmem_device *dev, const char *mode)
{
	size_t len = strlen(mode);
	const char *at = dev->modes;

	while (*at) {
		size_t word = strcspn(at, " ");

		if (word == len && !strncmp(at, mode, len))
			return true;
		at += word;
		at += strspn(at, " ");
	}
	return false;
}

struct cxlmem_device *device_at(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size)
{
	struct cxlmem_device *dev;

	cxlmem_device_foreach(ctx, dev)
		if (dev->backend == &backend_cxlmem && dev->range.start == start &&
		    dev->range.size == size)
			return dev;
	return NULL;
}

struct cxlmem_device *device_of(struct cxlmem_ctx *ctx, const char *parent)
{
	struct cxlmem_device *dev;

	cxlmem_device_foreach(ctx, dev)
		if (dev->backend == &backend_cxlmem && !strcmp(dev->parent, parent))
			return dev;
	return NULL;
}

static bool matches(struct cxlmem_device *dev, const char *name)
{
	char pci[NAME_LEN];
	uint64_t serial;

	if (!strcmp(name, dev->name))
		return true;
	if (!strncmp(name, "serial:", 7))
		return dev->serial && !parse_number(name + 7, &serial) && serial == dev->serial;
	return !parse_pci(name, pci, sizeof(pci)) && !strcmp(pci, dev->parent);
}

static int no_such_device(struct cxlmem_ctx *ctx, const char *name)
{
	struct cxlmem_device *dev;
	char known[512];
	size_t len = 0;

	known[0] = '\0';
	cxlmem_device_foreach(ctx, dev) {
		if (len > sizeof(known) - NAME_LEN - sizeof(", , ...")) {
			strcpy(known + len, ", ...");
			break;
		}
		len += snprintf(known + len, sizeof(known) - len, "%s%s", len ? ", " : "",
				dev->name);
	}
	if (!len)
		return fail(ctx, ENODEV,
			    "there is no device '%s', nor any other; \"cxlmemctl bind\" makes one of a PCI function or a range",
			    name);
	return fail(ctx, ENODEV, "there is no device '%s'; there are: %s", name, known);
}

EXPORT int cxlmem_device_find(struct cxlmem_ctx *ctx, const char *name,
			      struct cxlmem_device **result)
{
	struct cxlmem_device *dev, *found = NULL;

	cxlmem_device_foreach(ctx, dev) {
		if (!matches(dev, name))
			continue;
		if (found)
			return fail(ctx, ENOTUNIQ,
				    "'%s' means several devices, %s and %s among them; use their names",
				    name, found->name, dev->name);
		found = dev;
	}
	if (!found)
		return ctx->scanned ? no_such_device(ctx, name) : -ENOMEM;
	*result = found;
	return 0;
}

/* The rest are getters. */

static struct cxlmem_device *with_node(struct cxlmem_device *dev)
{
	if (!dev->node_read)
		node_read(dev);
	dev->node_read = true;
	return dev;
}

EXPORT struct cxlmem_ctx *cxlmem_device_get_ctx(struct cxlmem_device *dev)
{
	return dev->ctx;
}

EXPORT const char *cxlmem_device_get_name(struct cxlmem_device *dev)
{
	return dev->name;
}

EXPORT const char *cxlmem_device_get_kind(struct cxlmem_device *dev)
{
	return dev->backend->kind;
}

EXPORT const char *cxlmem_device_get_parent(struct cxlmem_device *dev)
{
	return dev->parent;
}

EXPORT const char *cxlmem_device_get_driver(struct cxlmem_device *dev)
{
	return dev->driver;
}

EXPORT const char *cxlmem_device_get_mode(struct cxlmem_device *dev)
{
	return dev->mode;
}

EXPORT const char *cxlmem_device_get_modes(struct cxlmem_device *dev)
{
	return dev->modes;
}

EXPORT const char *cxlmem_device_get_state(struct cxlmem_device *dev)
{
	if (!dev->blocks_known)
		return "";
	if (!dev->online)
		return "offline";
	return dev->offline ? "partly" : "online";
}

EXPORT const char *cxlmem_device_get_zone(struct cxlmem_device *dev)
{
	return dev->zone;
}

EXPORT const char *cxlmem_device_get_source(struct cxlmem_device *dev)
{
	return dev->source;
}

EXPORT int cxlmem_device_get_node(struct cxlmem_device *dev)
{
	return dev->node;
}

EXPORT int cxlmem_device_get_memmap(struct cxlmem_device *dev)
{
	return dev->memmap;
}

EXPORT uint64_t cxlmem_device_get_serial(struct cxlmem_device *dev)
{
	return dev->serial;
}

EXPORT uint64_t cxlmem_device_get_start(struct cxlmem_device *dev)
{
	return dev->range.start;
}

EXPORT uint64_t cxlmem_device_get_size(struct cxlmem_device *dev)
{
	return dev->range.size;
}

EXPORT uint64_t cxlmem_device_get_usable_start(struct cxlmem_device *dev)
{
	return dev->usable.start;
}

EXPORT uint64_t cxlmem_device_get_usable_size(struct cxlmem_device *dev)
{
	return dev->usable.size;
}

EXPORT uint64_t cxlmem_device_get_online(struct cxlmem_device *dev)
{
	return dev->online;
}

EXPORT uint64_t cxlmem_device_get_offline(struct cxlmem_device *dev)
{
	return dev->offline;
}

EXPORT int64_t cxlmem_device_get_used(struct cxlmem_device *dev)
{
	return with_node(dev)->used;
}

EXPORT uint64_t cxlmem_device_get_capacity(struct cxlmem_device *dev)
{
	return dev->capacity;
}

EXPORT int64_t cxlmem_device_get_free(struct cxlmem_device *dev)
{
	uint64_t total = dev->capacity ? dev->capacity : dev->online;
	int64_t used = cxlmem_device_get_used(dev);

	return total && used >= 0 && (uint64_t)used <= total ? (int64_t)(total - used) : -1;
}

EXPORT const char *cxlmem_device_get_policy(struct cxlmem_device *dev)
{
	return dev->policy;
}

EXPORT int64_t cxlmem_device_get_quota(struct cxlmem_device *dev)
{
	return dev->quota;
}

EXPORT int cxlmem_device_get_lend(struct cxlmem_device *dev)
{
	return dev->lend;
}

EXPORT uint64_t cxlmem_device_get_claimed(struct cxlmem_device *dev)
{
	return dev->claimed;
}

EXPORT uint64_t cxlmem_device_get_taking(struct cxlmem_device *dev)
{
	return dev->taking;
}

EXPORT int cxlmem_device_get_distance(struct cxlmem_device *dev)
{
	return with_node(dev)->distance;
}

EXPORT int64_t cxlmem_device_get_read_latency(struct cxlmem_device *dev)
{
	return with_node(dev)->latency;
}

EXPORT int64_t cxlmem_device_get_read_bandwidth(struct cxlmem_device *dev)
{
	return with_node(dev)->bandwidth;
}

EXPORT int cxlmem_device_get_tier(struct cxlmem_device *dev)
{
	return with_node(dev)->tier;
}
