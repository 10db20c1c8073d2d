// SPDX-License-Identifier: GPL-2.0
/* The model as a whole. */
#include <stdlib.h>

#include "model.h"

void t2_reset(struct t2 *t)
{
	engine_reset(t);
	component_reset(t);
	config_reset(t);
}

struct t2 *t2_new(uint64_t hdm_base, uint64_t hdm_size, uint64_t serial, bool committed)
{
	struct t2 *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->hdm_base = hdm_base;
	t->hdm_size = hdm_size;
	t->serial = serial;
	t->committed = committed;
	t->protocol.fd = -1;
	t->engine.counters = calloc(COUNTERS, sizeof(*t->engine.counters));
	t->log.records = calloc(LOG_RECORDS, sizeof(*t->log.records));
	if (!t->engine.counters || !t->log.records) {
		t2_free(t);
		return NULL;
	}
	t2_reset(t);
	return t;
}

void t2_free(struct t2 *t)
{
	protocol_close(t);
	memory_unmap_all(t);
	free(t->engine.counters);
	free(t->log.records);
	free(t);
}
