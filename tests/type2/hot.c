// SPDX-License-Identifier: GPL-2.0
/* How often the engine touches what, and telling the host which pages it wants. */
#include "model.h"

static void report(struct t2 *t, const struct counter *c)
{
	struct engine *e = &t->engine;
	struct t2_hot hot = {
		.address = c->unit << e->hot_shift,
		.pasid = c->pasid,
		.count = c->remote,
	};

	if (!e->hot.size || e->hot.put - e->hot.taken >= e->hot.size) {
		e->hot_dropped++;
		return;
	}
	if (ring_put(t, &e->hot, &hot, sizeof(hot))) {
		/* Errors without end would drown the host. */
		e->hot.size = 0;
		return;
	}
	log_add(t, "hot", 0, c->pasid, hot.address, 0, c->remote);
	interrupt(t, T2_VECTOR_HOT);
}

void hot_count(struct t2 *t, uint32_t pasid, uint64_t address, bool local)
{
	struct engine *e = &t->engine;
	uint64_t unit = address >> e->hot_shift;
	struct counter *c = &e->counters[spread(unit, pasid) % COUNTERS];

	if (c->unit != unit || c->pasid != pasid)
		*c = (struct counter) { .unit = unit, .pasid = pasid };
	if (local) {
		c->local++;
		return;
	}
	c->remote++;
	c->towards_report++;
	if (e->hot_threshold && c->towards_report >= e->hot_threshold) {
		c->towards_report = 0;
		report(t, c);
	}
}
