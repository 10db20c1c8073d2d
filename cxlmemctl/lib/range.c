// SPDX-License-Identifier: LGPL-2.1
/* Giving a firmware-described range of memory to the driver cxlmem_range, and back. */
#include "private.h"

#define DRIVER		"cxlmem_range"
#define DIRECTORY	"sys/bus/platform/drivers/" DRIVER
#define HMEM		"sys/bus/platform/drivers/hmem"

/* What to do about whoever has the range. */
static int held(struct transition *t, uint64_t start, uint64_t size, const char *holder)
{
	char text[16];

	cxlmem_format_size(size, text, sizeof(text));
	if (!strcmp(holder, "System RAM"))
		return fail(t->ctx, EBUSY, "the range %#jx+%s is ordinary memory of this machine",
			    (uintmax_t)start, text);
	if (!strncmp(holder, "dax", 3))
		return fail(t->ctx, EBUSY,
			    "the range %#jx+%s is held by %s; \"cxlmemctl bind %s\" takes it over",
			    (uintmax_t)start, text, holder, holder);
	if (!strncmp(holder, "region", 6))
		return fail(t->ctx, EBUSY,
			    "the range %#jx+%s is held by the CXL region %s; release it first: cxl destroy-region %s",
			    (uintmax_t)start, text, holder, holder);
	return fail(t->ctx, EBUSY, "the range %#jx+%s is held by \"%s\" (see /proc/iomem)",
		    (uintmax_t)start, text, holder);
}

/* The dax device that has a part of the range; its insides in /proc/iomem have other names. */
static bool dax_holder(struct transition *t, uint64_t start, uint64_t size, char *name)
{
	struct cxlmem_device *dev;

	cxlmem_device_foreach(t->ctx, dev) {
		if (dev->backend != &backend_dax || dev->range.start >= start + size ||
		    dev->range.start + dev->range.size <= start)
			continue;
		strcpy(name, dev->name);
		return true;
	}
	return false;
}

static int refused(struct transition *t, int rc, uint64_t start, uint64_t size)
{
	char holder[NAME_LEN], text[16];

	event_kernel_log(t, DRIVER, "cxlmem:");
	if (dax_holder(t, start, size, holder))
		return held(t, start, size, holder);
	if (iomem_holder(t->ctx, start, size, holder, sizeof(holder)) > 0 &&
	    strcmp(holder, "Soft Reserved"))
		return held(t, start, size, holder);
	return fail(t->ctx, ENXIO,
		    "the driver %s does not take %#jx+%s: %s; its reason is in the kernel's log",
		    DRIVER, (uintmax_t)start, cxlmem_format_size(size, text, sizeof(text)),
		    strerror(-rc));
}

static int remove_range(struct transition *t, uint64_t start)
{
	char value[32];

	snprintf(value, sizeof(value), "%#jx", (uintmax_t)start);
	return sysfs_write(t->ctx, value, DIRECTORY "/remove_range");
}

static int finish(struct transition *t, uint64_t start, uint64_t size, int node)
{
	struct cxlmem_device *dev = device_at(t->ctx, start, size);

	if (!dev)
		return fail(t->ctx, ENODEV, "the driver %s has made no memory device at %#jx",
			    DRIVER, (uintmax_t)start);
	return adopt_device(t, dev, node);
}

/* The node is set afterwards, so that the driver checks it as it does any other. */
int range_bind(struct transition *t, uint64_t start, uint64_t size, int node)
{
	char value[64], text[16];
	int rc;

	if (device_at(t->ctx, start, size)) {
		rc = finish(t, start, size, node);
		return rc ? rc : CXLMEM_ALREADY;
	}
	if (dry_run(t)) {
		event_text(t, CXLMEM_EVENT_STEP, "would give %#jx+%s to the driver %s",
			   (uintmax_t)start, cxlmem_format_size(size, text, sizeof(text)), DRIVER);
		return 0;
	}
	rc = module_load(t->ctx, DRIVER);
	if (rc)
		return rc;
	snprintf(value, sizeof(value), "%#jx %#jx", (uintmax_t)start, (uintmax_t)size);
	rc = sysfs_write(t->ctx, value, DIRECTORY "/new_range");
	if (rc)
		return refused(t, rc, start, size);
	rc = cxlmem_rescan(t->ctx);
	if (!rc)
		rc = finish(t, start, size, node);
	if (rc)
		remove_range(t, start);
	return rc;
}

/*
 * The hmem driver gets its device back, and the dax device that it makes of it
 * is out of use again: kmem takes it at once, and must let go.
 */
static void give_back(struct transition *t, const char *hmem, uint64_t start)
{
	struct cxlmem_device *dev;
	struct policy policy;

	if (policy_hold(t, "offline", &policy))
		return;
	sysfs_write(t->ctx, hmem, HMEM "/bind");
	if (!cxlmem_rescan(t->ctx))
		cxlmem_device_foreach(t->ctx, dev)
			if (dev->backend == &backend_dax && dev->range.start == start &&
			    dev->driver[0])
				sysfs_write(t->ctx, dev->name, "sys/bus/dax/drivers/%s/unbind",
					    dev->driver);
	policy_release(t, &policy);
}

int range_bind_dax(struct transition *t, struct cxlmem_device *dax)
{
	int node = t->opt.node == CXLMEM_KEEP ? dax->node : t->opt.node;
	struct range range = dax->range;
	char hmem[NAME_LEN], *reason;
	int rc;

	if (strncmp(dax->parent, "hmem", 4))
		return fail(t->ctx, EOPNOTSUPP,
			    "%s is made of a CXL region; destroy that with \"cxl destroy-region\" and bind the PCI function instead",
			    dax->name);
	if (!range.start)
		return fail(t->ctx, EPERM, "the address of %s can be read by root only", dax->name);
	if (strcmp(dax->mode, "offline") && !(t->opt.flags & CXLMEM_FORCE &&
					       !strcmp(dax->mode, "devdax")))
		return fail(t->ctx, EBUSY,
			    "%s is in mode %s; take it out of use first: cxlmemctl offline %s%s",
			    dax->name, dax->mode, dax->name,
			    strcmp(dax->mode, "devdax") ? "" : " --force");
	/* The device is gone after the next step. */
	strcpy(hmem, dax->parent);
	event_text(t, CXLMEM_EVENT_STEP, "%s %s from the driver hmem",
		   dry_run(t) ? "would take" : "taking", hmem);
	if (!dry_run(t)) {
		rc = sysfs_write(t->ctx, hmem, HMEM "/unbind");
		if (rc)
			return fail(t->ctx, -rc, "the driver hmem does not let go of %s: %s", hmem,
				    strerror(-rc));
	}
	rc = range_bind(t, range.start, range.size, node);
	if (rc < 0 && !dry_run(t)) {
		reason = strdup(cxlmem_error(t->ctx));
		give_back(t, hmem, range.start);
		fail(t->ctx, -rc, "%s; the driver hmem has the range back", reason ? reason : "");
		free(reason);
	}
	return rc;
}

int range_unbind(struct transition *t)
{
	char reason[ATTR_LEN];
	int rc = remove_range(t, t->dev->range.start);

	if (!rc)
		return 0;
	if (sysfs_read(t->ctx, reason, sizeof(reason), "%s/last_error", t->dev->dir) <= 0)
		snprintf(reason, sizeof(reason), "%s", strerror(-rc));
	event_kernel_log(t, DRIVER, t->dev->name);
	return fail(t->ctx, -rc, "%s cannot be given back: %s", t->dev->name, reason);
}
