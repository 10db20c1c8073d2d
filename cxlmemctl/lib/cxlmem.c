// SPDX-License-Identifier: LGPL-2.1
/* Devices of the cxlmem driver: docs/ABI/sysfs-class-cxlmem. */
#include <ctype.h>

#include "private.h"

/* A word the driver prints; notes the attribute as bad if it cannot be one. */
static void read_word(struct cxlmem_device *dev, char *word, size_t size, const char *attr)
{
	const char *c;
	int len = sysfs_read(dev->ctx, word, size, "%s/%s", dev->dir, attr);

	for (c = word; len > 0 && *c; c++)
		if (!islower((unsigned char)*c) && *c != '-' && *c != ' ')
			len = -EINVAL;
	if (len > 0)
		return;
	word[0] = '\0';
	dev->bad = attr;
}

static void read_number(struct cxlmem_device *dev, uint64_t *value, const char *attr)
{
	if (sysfs_read_number(dev->ctx, value, "%s/%s", dev->dir, attr)) {
		*value = 0;
		dev->bad = attr;
	}
}

static void read_range(struct cxlmem_device *dev, struct range *range, const char *start,
		       const char *size)
{
	read_number(dev, &range->start, start);
	read_number(dev, &range->size, size);
	if (range->size > UINT64_MAX - range->start) {
		range->size = 0;
		dev->bad = size;
	}
}

static void read_node(struct cxlmem_device *dev)
{
	char text[ATTR_LEN];
	uint64_t node;

	dev->node = -1;
	if (sysfs_read(dev->ctx, text, sizeof(text), "%s/node", dev->dir) > 0) {
		if (!strcmp(text, "-1"))
			return;
		if (!parse_u64(text, 10, &node) && node < MAX_NODES) {
			dev->node = node;
			return;
		}
	}
	dev->bad = "node";
}

/* A driver without mode "driver" has none of this. */
static void read_handed_out(struct cxlmem_device *dev)
{
	uint64_t quota;

	dev->policy[0] = '\0';
	dev->quota = -1;
	dev->capacity = dev->handed_out = 0;
	if (!device_has_mode(dev, "driver"))
		return;
	read_word(dev, dev->policy, sizeof(dev->policy), "policy");
	read_number(dev, &quota, "quota");
	if (quota > INT64_MAX)
		dev->bad = "quota";
	else
		dev->quota = quota;
	if (strcmp(dev->mode, "driver"))
		return;
	/* In this order: a device that is emptied meanwhile has not more than there is. */
	read_number(dev, &dev->handed_out, "pages/used");
	read_number(dev, &dev->capacity, "pages/capacity");
	if (dev->capacity > dev->range.size || dev->handed_out > dev->capacity) {
		dev->capacity = dev->handed_out = 0;
		dev->bad = "pages/used";
	}
}

/* A driver without mode "cma" has none of this. */
static void read_lent(struct cxlmem_device *dev)
{
	char word[NAME_LEN];

	dev->lend = -1;
	dev->claimed = dev->taking = dev->unused = 0;
	if (!device_has_mode(dev, "cma"))
		return;
	read_word(dev, word, sizeof(word), "lend");
	dev->lend = !strcmp(word, "on");
	if (strcmp(dev->mode, "cma"))
		return;
	read_number(dev, &dev->claimed, "cma/claimed");
	read_number(dev, &dev->taking, "cma/taking");
	read_number(dev, &dev->unused, "cma/free");
	if (dev->claimed > dev->range.size || dev->taking > dev->range.size ||
	    dev->unused > dev->range.size) {
		dev->claimed = dev->taking = dev->unused = 0;
		dev->bad = "cma/claimed";
	}
}

static int cxlmem_read(struct cxlmem_device *dev)
{
	uint64_t memmap;

	if (!sysfs_exists(dev->ctx, "%s/mode", dev->dir))
		return -ENODEV;
	read_word(dev, dev->modes, sizeof(dev->modes), "modes");
	read_word(dev, dev->mode, sizeof(dev->mode), "mode");
	if (!device_has_mode(dev, dev->mode)) {
		strcpy(dev->mode, "unknown");
		dev->bad = "mode";
	}
	read_word(dev, dev->zone, sizeof(dev->zone), "zone");
	read_word(dev, dev->source, sizeof(dev->source), "source");
	read_node(dev);
	read_range(dev, &dev->range, "start", "size");
	read_range(dev, &dev->usable, "usable_start", "usable_size");
	read_number(dev, &dev->serial, "serial");
	read_number(dev, &memmap, "memmap_on_memory");
	dev->memmap = memmap != 0;
	read_handed_out(dev);
	read_lent(dev);

	/* The parent may be of any kind, and its driver may have no name. */
	if (sysfs_link(dev->ctx, dev->parent, sizeof(dev->parent), "%s/device", dev->dir))
		dev->parent[0] = '\0';
	if (sysfs_link(dev->ctx, dev->driver, sizeof(dev->driver), "%s/device/driver", dev->dir))
		dev->driver[0] = '\0';
	return 0;
}

/* The driver's own words on what it refused, or else what the error number means. */
static int refused(struct transition *t, int rc, const char *what)
{
	struct cxlmem_device *dev = t->dev;
	char reason[ATTR_LEN];

	if (rc == -ETIMEDOUT)
		return fail(dev->ctx, ETIMEDOUT,
			    "%s: gave up after %u seconds without progress",
			    dev->name, t->opt.timeout);
	if (rc == -EINTR)
		return fail(dev->ctx, EINTR, "%s: stopped", dev->name);
	if (sysfs_read(dev->ctx, reason, sizeof(reason), "%s/last_error", dev->dir) > 0)
		return fail(dev->ctx, -rc, "%s: cannot %s: %s", dev->name, what, reason);
	return fail(dev->ctx, -rc, "%s: cannot %s: %s", dev->name, what, strerror(-rc));
}

static int set(struct transition *t, const char *attr, const char *value)
{
	char what[ATTR_LEN];
	int rc = sysfs_write(t->ctx, value, "%s/%s", t->dev->dir, attr);

	if (!rc)
		return 0;
	snprintf(what, sizeof(what), "set %s to %s", attr, value);
	return refused(t, rc, what);
}

static int set_node(struct transition *t, int node, bool force)
{
	char value[32];

	snprintf(value, sizeof(value), "%d%s", node, force ? " force" : "");
	return set(t, "node", value);
}

int adopt_device(struct transition *t, struct cxlmem_device *dev, int node)
{
	int rc;

	t->dev = dev;
	if (node == CXLMEM_KEEP || node == dev->node)
		return 0;
	rc = set_node(t, node, t->opt.flags & CXLMEM_FORCE);
	return rc ? rc : cxlmem_device_refresh(dev);
}

static bool read_progress(struct transition *t, uint64_t *done, uint64_t *total);

/* In mode "cma" this moves what the system has on the device. */
static int set_lend(struct transition *t)
{
	const char *lend = t->want.lend ? "on" : "off";
	char path[PATH_MAX];
	int rc;

	if (strcmp(t->dev->mode, "cma"))
		return set(t, "lend", lend);
	snprintf(path, sizeof(path), "%s/lend", t->dev->dir);
	rc = supervised_write(t, path, lend, "switching what the system may use", read_progress);
	return rc ? refused(t, rc, "switch lend") : 0;
}

static int cxlmem_configure(struct transition *t)
{
	struct cxlmem_device *dev = t->dev;
	char value[32];
	int rc = 0;

	if (strcmp(dev->zone, t->want.zone))
		rc = set(t, "zone", t->want.zone);
	if (!rc && dev->node != t->want.node && t->want.node >= 0)
		rc = set_node(t, t->want.node, t->opt.flags & CXLMEM_FORCE || t->undoing);
	if (!rc && dev->memmap != t->want.memmap)
		rc = set(t, "memmap_on_memory", t->want.memmap ? "1" : "0");
	if (!rc && strcmp(dev->policy, t->want.policy))
		rc = set(t, "policy", t->want.policy);
	if (!rc && dev->quota != t->want.quota) {
		snprintf(value, sizeof(value), "%jd", (intmax_t)t->want.quota);
		rc = set(t, "quota", value);
	}
	if (!rc && dev->lend != t->want.lend)
		rc = set_lend(t);
	return rc;
}

static bool read_progress(struct transition *t, uint64_t *done, uint64_t *total)
{
	char text[ATTR_LEN], *save, *word[4];
	size_t i;

	if (sysfs_read(t->ctx, text, sizeof(text), "%s/progress", t->dev->dir) <= 0)
		return false;
	for (i = 0; i < ARRAY_SIZE(word); i++) {
		word[i] = strtok_r(i ? NULL : text, " ", &save);
		if (!word[i])
			return false;
	}
	return !parse_number(word[2], done) && !parse_number(word[3], total);
}

/* The address that the driver's last error names, "... [mem 0x390000000-0x397ffffff] ..." */
static bool failed_address(struct transition *t, uint64_t *address)
{
	char text[ATTR_LEN], *at;

	if (sysfs_read(t->ctx, text, sizeof(text), "%s/last_error", t->dev->dir) <= 0)
		return false;
	at = strstr(text, "[mem ");
	if (!at)
		return false;
	at += strlen("[mem ");
	at[strcspn(at, "-")] = '\0';
	return !parse_number(at, address);
}

/*
 * Tells which memory block kept the driver from taking the memory away, and why. If we have
 * given up, it is the one that the driver was at.
 */
static void report_block(struct transition *t)
{
	const struct range *range = &t->dev->usable;
	struct offline_failure failure;
	uint64_t address;

	kmsg_collect(&t->kmsg);
	if (kmsg_offline_failure(&t->kmsg, range->start, range->size, &failure))
		address = failure.address;
	else if (!failed_address(t, &address))
		return;
	if (block_size(t->ctx) && in_range(range, address))
		event_block(t, address / block_size(t->ctx), NULL);
}

static int write_mode(struct transition *t, const char *mode, const char *doing, const char *what)
{
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/mode", t->dev->dir);
	rc = supervised_write(t, path, mode, doing, read_progress);
	if (!rc)
		return 0;
	if (rc == -EBUSY || rc == -ETIMEDOUT)
		report_block(t);
	return refused(t, rc, what);
}

static int cxlmem_add(struct transition *t, const char *mode)
{
	return write_mode(t, mode, "adding the memory to the system",
			  "add the memory to the system");
}

static int cxlmem_hand_out(struct transition *t)
{
	return write_mode(t, "driver", "making pages of the memory", "make pages of the memory");
}

static int cxlmem_remove(struct transition *t)
{
	return write_mode(t, "offline", "moving data to other nodes", "take the memory off line");
}

const struct backend backend_cxlmem = {
	.kind = "cxlmem",
	.class = "sys/class/cxlmem",
	.prefix = "cxlmem",
	.read = cxlmem_read,
	.configure = cxlmem_configure,
	.add = cxlmem_add,
	.remove = cxlmem_remove,
	.hand_out = cxlmem_hand_out,
};
