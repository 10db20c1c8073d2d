// SPDX-License-Identifier: GPL-2.0
#include "model.h"

void log_add(struct t2 *t, const char *what, uint32_t queue, uint32_t pasid,
	     uint64_t address, uint64_t physical, uint32_t length)
{
	t->log.records[t->log.count++ % LOG_RECORDS] = (struct log_record) {
		.what = what,
		.queue = queue,
		.pasid = pasid,
		.length = length,
		.address = address,
		.physical = physical,
	};
}
