// SPDX-License-Identifier: LGPL-2.1
/* Moving the data off a device. */
#include "private.h"

int evacuate_check_room(struct transition *t)
{
	int64_t used = cxlmem_device_get_used(t->dev);
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
	if (strcmp(dev->mode, "system") || !dev->online)
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
	} else if (rc == CXLMEM_DONE) {
		rc = blocks_offline(&t);
	}
	return transition_end(&t, rc);
}
