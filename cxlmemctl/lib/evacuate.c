// SPDX-License-Identifier: LGPL-2.1
/* Moving the data off a device. */
#include "private.h"

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
		rc = check_room(&t);
	if (rc == CXLMEM_DONE && dry_run(&t)) {
		if (cxlmem_device_get_used(dev) >= 0)
			cxlmem_format_size(cxlmem_device_get_used(dev), amount, sizeof(amount));
		else
			strcpy(amount, "the");
		event_text(&t, CXLMEM_EVENT_STEP,
			   "would move %s of data to other nodes and take the memory blocks off line",
			   amount);
		foretell_evacuation(&t);
	} else if (rc == CXLMEM_DONE) {
		rc = clear_of_processes(&t);
		if (!rc)
			rc = blocks_offline(&t);
	}
	return transition_end(&t, rc);
}
