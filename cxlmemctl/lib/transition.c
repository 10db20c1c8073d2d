// SPDX-License-Identifier: LGPL-2.1
/* What every operation on a device begins and ends with. */
#include <unistd.h>

#include "private.h"

bool dry_run(const struct transition *t)
{
	return t->opt.flags & CXLMEM_DRY_RUN;
}

/* Whether memory can move to the node that it is to. */
static int check_target(struct transition *t)
{
	struct nodes memory;
	int to = t->opt.to;

	if (to == CXLMEM_KEEP)
		return 0;
	if (to < 0 || to >= MAX_NODES)
		return fail(t->ctx, ERANGE, "there can be no node %d; nodes are 0 to %d", to,
			    MAX_NODES - 1);
	if (to == t->dev->node)
		return fail(t->ctx, EINVAL, "memory of %s cannot move to node %d, which is its own",
			    t->dev->name, to);
	if (!sysfs_read_nodes(t->ctx, &memory, "sys/devices/system/node/has_memory") &&
	    !nodes_has(&memory, to))
		return fail(t->ctx, EINVAL, "memory of %s cannot move to node %d, which has none",
			    t->dev->name, to);
	return 0;
}

static int read_settings(struct transition *t)
{
	const struct cxlmem_device *dev = t->dev;
	const char *zone = t->opt.zone ? t->opt.zone : dev->zone;

	if (strcmp(zone, "movable") && strcmp(zone, "kernel"))
		return fail(t->ctx, EINVAL, "there is no zone '%s'; there are: movable, kernel",
			    zone);
	if (t->opt.node < CXLMEM_KEEP || t->opt.node >= MAX_NODES)
		return fail(t->ctx, ERANGE, "there can be no node %d; nodes are 0 to %d",
			    t->opt.node, MAX_NODES - 1);
	snprintf(t->old.zone, sizeof(t->old.zone), "%s", dev->zone);
	t->old.node = dev->node;
	t->old.memmap = dev->memmap;
	snprintf(t->old.policy, sizeof(t->old.policy), "%s", dev->policy);
	t->old.quota = dev->quota;
	t->old.lend = dev->lend;
	snprintf(t->was, sizeof(t->was), "%s", dev->mode);
	snprintf(t->want.zone, sizeof(t->want.zone), "%s", zone);
	t->want.node = t->opt.node == CXLMEM_KEEP ? dev->node : t->opt.node;
	t->want.memmap = t->opt.memmap == CXLMEM_KEEP ? dev->memmap : !!t->opt.memmap;
	/* Only the modes "driver" and "cma" set these, see read_limits(). */
	strcpy(t->want.policy, t->old.policy);
	t->want.quota = t->old.quota;
	t->want.lend = t->old.lend;
	return 0;
}

int transition_begin(struct transition *t, struct cxlmem_device *dev,
		     const struct cxlmem_options *options)
{
	int rc;

	memset(t, 0, sizeof(*t));
	t->ctx = dev->ctx;
	t->dev = dev;
	t->kmsg.fd = -1;
	options_copy(&t->opt, options);
	t->lock = lock_device(t);
	if (t->lock < 0)
		return t->lock;
	/* Whoever had the lock before may have changed everything. */
	rc = cxlmem_device_refresh(dev);
	if (!rc)
		rc = device_check(dev);
	if (!rc)
		rc = read_settings(t);
	if (!rc)
		rc = check_target(t);
	if (rc)
		close(t->lock);
	else
		kmsg_open(t->ctx, &t->kmsg);
	return rc;
}

int transition_end(struct transition *t, int rc)
{
	char *reason = NULL;

	if (rc < 0)
		reason = strdup(cxlmem_error(t->ctx));
	kmsg_close(&t->kmsg);
	close(t->lock);
	/* So that the caller's getters tell what is. That the device is gone is no failure here. */
	cxlmem_device_refresh(t->dev);
	if (reason)
		fail(t->ctx, -rc, "%s%s", reason, t->touched ? "; everything is as it was" : "");
	free(reason);
	return rc;
}
