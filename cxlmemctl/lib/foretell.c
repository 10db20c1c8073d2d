// SPDX-License-Identifier: LGPL-2.1
/* What an evacuation comes to: whether there is room, how long it takes, what would not move. */
#include "private.h"

int check_room(struct transition *t)
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

int refuse_claimed(struct cxlmem_device *dev)
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

void foretell_evacuation(struct transition *t)
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
