// SPDX-License-Identifier: LGPL-2.1
/* Moving the data off a device. */
#include "private.h"

int evacuate_check_room(struct transition *t)
{
	int64_t used = cxlmem_device_get_used(t->dev) - (int64_t)t->dev->claimed;
	char need[16], have[16];
	uint64_t available;

	/* Without figures, or against our advice, the kernel's own check decides. */
	if (used <= 0 || t->opt.flags & CXLMEM_FORCE || node_host_available(t->ctx, &available) ||
	    (uint64_t)used <= available)
		return 0;
	return fail(t->ctx, ENOSPC,
		    "%s holds %s of data and the host's own nodes have room for %s; free some memory there first",
		    t->dev->name, cxlmem_format_size(used, need, sizeof(need)),
		    cxlmem_format_size(available, have, sizeof(have)));
}

static int refuse_claimed(struct cxlmem_device *dev)
{
	char claimed[16];

	return fail(dev->ctx, EBUSY,
		    "%s of %s are claimed; \"cxlmemctl claim %s\" lists who has them, and they have to let go first",
		    cxlmem_format_size(dev->claimed, claimed, sizeof(claimed)), dev->name,
		    dev->name);
}

static void foretell_time(struct transition *t)
{
	const struct range *range = &t->dev->usable;
	struct pages pages;
	double seconds;
	char kinds[512];

	if (!pages_count(t->ctx, range->start, range->size, &pages) || !pages.in_use)
		return;
	pages_describe(t->ctx, range->start, range->size, kinds, sizeof(kinds));
	seconds = estimate_seconds(t, &pages);
	if (seconds < 0)
		event_text(t, CXLMEM_EVENT_STEP,
			   "there are: %s; how long it takes to move that cannot be told", kinds);
	else if (seconds < 1)
		event_text(t, CXLMEM_EVENT_STEP, "there are: %s; to move that takes less than a second",
			   kinds);
	else
		event_text(t, CXLMEM_EVENT_STEP, "there are: %s; to move that takes about %.0f s",
			   kinds, seconds);
}

void evacuate_foretell(struct transition *t)
{
	struct cxlmem_device *dev = t->dev;
	struct obstacle obstacle;

	if (device_is_lent(dev))
		foretell_time(t);
	if (dev->claimed) {
		refuse_claimed(dev);
		event_text(t, CXLMEM_EVENT_WARNING, "this would fail now: %s",
			   cxlmem_error(dev->ctx));
	}
	if (device_is_lent(dev) && obstacle_foresee(t, &dev->usable, &obstacle))
		event_text(t, CXLMEM_EVENT_WARNING, "this would fail now: %s; %s", obstacle.reason,
			   obstacle.remedy);
}

EXPORT int cxlmem_device_evacuate(struct cxlmem_device *dev, const struct cxlmem_options *options)
{
	struct transition t;
	char amount[16];
	int rc;

	rc = transition_begin(&t, dev, options);
	if (rc)
		return rc;
	if (!strcmp(dev->mode, "driver"))
		return transition_end(&t, dev->handed_out ? empty_driver(&t) : CXLMEM_ALREADY);
	if (dev->claimed)
		rc = refuse_claimed(dev);
	else if (!device_is_lent(dev) || !dev->online)
		rc = CXLMEM_ALREADY;
	else
		rc = evacuate_check_room(&t);
	if (rc == CXLMEM_DONE && dry_run(&t)) {
		if (cxlmem_device_get_used(dev) >= 0)
			cxlmem_format_size(cxlmem_device_get_used(dev), amount, sizeof(amount));
		else
			strcpy(amount, "the");
		event_text(&t, CXLMEM_EVENT_STEP,
			   "would move %s of data to other nodes and take the memory blocks off line",
			   amount);
		evacuate_foretell(&t);
	} else if (rc == CXLMEM_DONE) {
		rc = clear_of_processes(&t);
		if (!rc)
			rc = blocks_offline(&t);
	}
	return transition_end(&t, rc);
}
